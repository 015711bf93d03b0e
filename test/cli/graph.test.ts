import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { command } from '../../src/cli/graph.ts'
import { command as tools } from '../../src/cli/tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-graph-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function vor(of: typeof command, ...argv: string[]) {
	const stdout = new PassThrough()
	const stderr = new PassThrough()
	const code = await of.run(argv, { stdout, stderr, env: {}, isTty: false })
	return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

const local = fileURLToPath(new URL('../../pipelines/local.alloy', import.meta.url))

test('the dataflow runs from the ring buffer to the metrics', async () => {
	expect((await vor(command, local)).out).toBe(
		[
			'ebpf.ringbuf.host -> ebpf.decode.host',
			'ebpf.decode.host -> ebpf.correlate.host',
			'ebpf.correlate.host -> ebpf.propagate.host',
			'ebpf.propagate.host -> ebpf.aggregate.host',
			'',
		].join('\n'),
	)
})

test('a file with problems is drawn, and it is said that edges may lack', async () => {
	const file = join(folder, 'problems.alloy')
	writeFileSync(
		file,
		'beyla.ebpf "x" { output { traces = [otelcol.exporter.otlp.none.input] } }\nlocal.file "f" { }\n',
	)
	expect(await vor(command, file)).toEqual({
		code: 0,
		out: 'beyla.ebpf.x\nlocal.file.f\n',
		err: `${file} has 2 problems, the graph may lack edges: vor validate --explain ${file}\n`,
	})
})

test('what reads an export gets the data, what is handed a consumer gives it, and a lone block is listed', async () => {
	const file = join(folder, 'a.alloy')
	writeFileSync(
		file,
		`beyla.ebpf "x" { output { traces = [otelcol.exporter.otlp.o.input] } }
otelcol.exporter.otlp "o" { client { endpoint = local.file.f.content } }
local.file "f" { filename = "endpoint" }
logging { level = "info" }
`,
	)
	expect((await vor(command, file)).out).toBe(
		'beyla.ebpf.x -> otelcol.exporter.otlp.o\nlocal.file.f -> otelcol.exporter.otlp.o\nlogging\n',
	)
	expect((await vor(command, '--format=dot', file)).out).toContain(
		'\t"beyla.ebpf.x" -> "otelcol.exporter.otlp.o";\n',
	)
	expect((await vor(command, '--format=mermaid', file)).out).toBe(
		[
			'flowchart LR',
			'\tn0["beyla.ebpf.x"]',
			'\tn1["otelcol.exporter.otlp.o"]',
			'\tn2["local.file.f"]',
			'\tn3["logging"]',
			'\tn0 --> n1',
			'\tn2 --> n1',
			'',
		].join('\n'),
	)
	expect(JSON.parse((await vor(command, '--format=json', file)).out)).toMatchObject({
		nodes: ['beyla.ebpf.x', 'otelcol.exporter.otlp.o', 'local.file.f', 'logging'],
	})
})

test('a file that does not parse is shown with its place, a wrong call with its fix', async () => {
	const file = join(folder, 'bad.alloy')
	writeFileSync(file, 'a "b" {\n')
	const { code, out, err } = await vor(command, file)
	expect({ code, out }).toEqual({ code: 1, out: '' })
	expect(err).toContain('bad.alloy:')
	await expect(vor(command)).rejects.toMatchObject({ code: 'E_USAGE' })
	await expect(vor(command, '--format=svg', file)).rejects.toMatchObject({ code: 'E_USAGE' })
	await expect(vor(command, join(folder, 'absent.alloy'))).rejects.toMatchObject({ code: 'E_FILE' })
})

test('vor tools finds its tool, and says what there is for another word', async () => {
	expect(await vor(tools, 'eval', '1 + 2')).toEqual({ code: 0, out: '3\n', err: '' })
	await expect(vor(tools, 'evl')).rejects.toMatchObject({ fix: 'vor tools eval' })
	await expect(vor(tools)).rejects.toMatchObject({ code: 'E_USAGE' })
})
