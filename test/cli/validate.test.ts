import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { knownComponents, runValidate } from '../../src/cli/validate.ts'
import { captureIo } from '../syntax/capture-io.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-validate-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function validate(text: string, ...flags: string[]) {
	const path = join(folder, 'config.alloy')
	writeFileSync(path, text)
	const io = captureIo()
	const code = await runValidate([...flags, path], io, knownComponents)
	return { code, out: io.out(), err: io.err().replaceAll(`${folder}/`, '') }
}

test('--json gives everything that is known, in one line', async () => {
	const { code, out, err } = await validate('local.fil "x" { }\n', '--json')
	expect({ code, err }).toEqual({ code: 1, err: '' })
	expect(JSON.parse(out)).toEqual([
		{
			severity: 'error',
			file: join(folder, 'config.alloy'),
			start: { line: 1, column: 1, offset: 0 },
			end: { line: 1, column: 9, offset: 8 },
			message: 'cannot find the definition of component name "local.fil"',
			help: ['did you mean local.file?'],
		},
	])
	expect(await validate('local.file "x" {\n\tfilename = "/x"\n}\n', '--json')).toEqual({
		code: 0,
		out: '[]\n',
		err: '',
	})
})

test('advice and warnings are there with --explain and only then', async () => {
	const text = 'otelcol.exporter.otlp "o" {\n\tclient {\n\t\tendpoint = "a:1"\n\t}\n}\n'
	expect(await validate(text)).toEqual({ code: 0, out: '', err: '' })
	const { code, err } = await validate(text, '--explain')
	expect(code).toBe(0)
	expect(err).toContain('Warning: config.alloy:1:1: nothing sends to otelcol.exporter.otlp.o\n')
})

test('an error inside a module shows the module’s own source with --explain', async () => {
	writeFileSync(
		join(folder, 'module.alloy'),
		'declare "a" {\n\tlocal.file "f" {\n\t\tfilename = [1]\n\t}\n}\n',
	)
	const text = `import.file "ns" {\n\tfilename = "${folder}/module.alloy"\n}\n\nns.a "x" { }\n`
	expect((await validate(text)).err).toBe(
		'Error: ns:3:14: [1] should be string, got array\nError: validation failed\n',
	)
	const explained = (await validate(text, '--explain')).err
	expect(explained).toContain('3 |         filename = [1]\n  |                    ^^^\n')
	expect(explained).toContain('  = in module.alloy\n')
	const [first] = JSON.parse((await validate(text, '--json')).out) as { file: string; origin: string }[]
	expect(first).toMatchObject({ file: 'ns', origin: join(folder, 'module.alloy') })
})
