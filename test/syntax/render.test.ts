import { describe, expect, it } from 'vitest'
import type { Diagnostic } from '../../src/syntax/diag.ts'
import { parseFile } from '../../src/syntax/parser.ts'
import { diagnosticsToJson, renderDiagnostics } from '../../src/syntax/render.ts'
import { noPosition } from '../../src/syntax/source.ts'

const text = 'a = 1\nb = = 2\n'
const { diagnostics } = parseFile('f.alloy', text)
const sources = new Map([['f.alloy', text]])

describe('a rendered diagnostic', () => {
	it('marks the place with its neighbours', () => {
		expect(renderDiagnostics(diagnostics, sources)).toBe(
			'Error: f.alloy:2:5: expected expression, got =\n\n1 | a = 1\n2 | b = = 2\n  |     ^\n3 | \n',
		)
	})

	it('has no excerpt when the text is not at hand', () => {
		expect(renderDiagnostics(diagnostics, new Map())).toBe('Error: f.alloy:2:5: expected expression, got =\n')
	})

	it('without a place starts with a dash', () => {
		const one: Diagnostic = { severity: 'warning', start: noPosition, end: noPosition, message: 'm' }
		expect(renderDiagnostics([one], sources)).toBe('Warning: -: m\n')
	})

	it('is coloured only when asked to be', () => {
		expect(renderDiagnostics(diagnostics, sources)).not.toContain('\x1b')
		const colored = renderDiagnostics(diagnostics, sources, { color: true })
		expect(colored).toContain('\x1b[31;1mError: \x1b[0m')
		// biome-ignore lint/complexity/useRegexLiterals: the escape character
		expect(colored.replaceAll(new RegExp('\x1b\\[[0-9;]*m', 'g'), '')).toBe(
			renderDiagnostics(diagnostics, sources),
		)
	})

	it('shows what we add only when asked to explain', () => {
		const one = { ...diagnostics[0]!, help: ['write one "="'] }
		expect(renderDiagnostics([one], sources)).toBe(renderDiagnostics(diagnostics, sources))
		const explained = renderDiagnostics([one], sources, { explain: true })
		expect(explained).toContain('= help: write one "="\n')
		expect(diagnosticsToJson([one])[0]).toMatchObject({
			help: ['write one "="'],
			start: { line: 2, column: 5 },
		})
	})

	it('in a file of many mistakes costs time in proportion to them', () => {
		const many = '= 1\n'.repeat(50_000)
		const found = parseFile('f.alloy', many).diagnostics
		const started = performance.now()
		renderDiagnostics(found, new Map([['f.alloy', many]]))
		// Splitting the text anew for every diagnostic would take minutes.
		expect(performance.now() - started).toBeLessThan(5000)
	})
})
