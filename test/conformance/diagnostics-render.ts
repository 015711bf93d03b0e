import { renderDiagnostics } from '../../src/syntax/render.ts'
import { type ConformanceResult, compare, differ, sharedJson } from './result.ts'

interface Case {
	readonly name: string
	readonly file: string
	readonly start: readonly [number, number]
	readonly end: readonly [number, number]
	readonly out: string
}

/** Excerpts, carets and boxes. */
export async function run(): Promise<ConformanceResult> {
	const { cases } = sharedJson<{ cases: Case[] }>('diagnostics-render.json')
	return compare('diagnostics-render', cases, ({ name, file, start, end, out }) => {
		const at = ([line, column]: readonly [number, number]) => ({
			filename: 'testfile',
			offset: 0,
			line,
			column,
		})
		const one = {
			severity: 'error' as const,
			start: at(start),
			end: at(end),
			message: 'synthetic error',
		}
		return differ(name, out, renderDiagnostics([one], new Map([['testfile', file]])))
	})
}
