import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { productName } from '../../src/server/replies.ts'
import { type Program, startProgram } from './support/process.ts'
import { freePort } from './support/programs.ts'
import { eventually, mainJs } from './support/vor.ts'

interface Answer {
	readonly status: number
	readonly type: string
	readonly body: string
}

interface Component {
	readonly name: string
	readonly localID: string
	liveDebuggingEnabled: boolean
	readonly referencesTo: readonly string[]
	readonly referencedBy: readonly string[]
	readonly health: { readonly state: string; readonly message: string; readonly updatedTime: string }
}

/** What a running Alloy answered, step by step. */
const recorded = JSON.parse(
	gunzipSync(
		readFileSync(fileURLToPath(new URL('../fixtures/alloy/endpoints.json.gz', import.meta.url))),
	).toString('utf8'),
) as Record<string, unknown> & {
	readonly config: string
	readonly metrics: Readonly<Record<string, { help: string; type: string; example: string }>>
	readonly stderr: readonly string[]
	readonly SIGTERM: { readonly rc: number }
}
const alloy = (step: string): Answer => {
	const { status, type, body } = recorded[step] as Answer
	return { status, type, body: body.replaceAll('Alloy', productName) }
}

/** The recorded pipeline without the components that Vör does not have. */
const has = (id: string): boolean => /^(otelcol\.exporter\.otlp|local\.file)\b/.test(id)
const pipeline = recorded.config.replace(/^otelcol\.(receiver|processor)[\s\S]*?^\}\n\n/gm, '')

const folder = mkdtempSync(join(tmpdir(), 'vor-endpoints-'))
let vor: Program
let url = ''

const config = (text: string): Promise<void> => writeFile(join(folder, 'config.alloy'), text)

beforeAll(async () => {
	expect(pipeline).not.toMatch(/receiver|batch/)
	await config(pipeline)
	await writeFile(join(folder, 'watched.txt'), 'hello')
	const port = await freePort()
	url = `http://127.0.0.1:${port}`
	vor = startProgram(
		process.execPath,
		[mainJs, 'run', 'config.alloy', '--storage.path=data', `--server.http.listen-addr=127.0.0.1:${port}`],
		{ cwd: folder },
	)
	await vor.waitFor(/now listening/)
	await eventually(
		async () => ((await fetch(`${url}/-/ready`)).status === 200 ? true : undefined),
		() => vor.stderr(),
	)
})
afterAll(async () => {
	await vor.stop('SIGKILL')
	rmSync(folder, { recursive: true, force: true })
})

async function ask(path: string, method = 'GET'): Promise<Answer> {
	const response = await fetch(url + path, { method })
	return {
		status: response.status,
		type: response.headers.get('content-type') ?? '',
		body: await response.text(),
	}
}

/** Without the time, and without references to what Vör does not have; in the order of ids, which is random in Alloy. */
function comparable(text: string): unknown {
	const mask = (one: Component): unknown => ({
		...one,
		referencesTo: one.referencesTo.filter(has),
		referencedBy: one.referencedBy.filter(has),
		health: { ...one.health, updatedTime: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(one.health.updatedTime) },
	})
	const parsed = JSON.parse(text) as Component | Component[]
	if (!Array.isArray(parsed)) return mask(parsed)
	return parsed
		.filter((one) => has(one.localID))
		.sort((a, b) => (a.localID < b.localID ? -1 : 1))
		.map(mask)
}

async function healths(): Promise<string[][]> {
	const all = JSON.parse((await ask('/api/v0/web/components')).body) as Component[]
	return all.map((one) => [one.localID, one.health.state, one.health.message]).sort()
}
const recordedHealths = (step: string): string[][] =>
	(recorded[step] as string[][]).filter(([id]) => has(id!)).sort()

test.each([
	'GET /-/ready',
	'GET /-/healthy',
	'GET /api/v0/web/components/nope.x',
	'GET /nope',
	'GET /api/v0/web/nope',
])('%s answers as Alloy did', async (step) => {
	expect(await ask(step.slice('GET '.length))).toEqual(alloy(step))
})

test('the list of components and the page of one are what Alloy gave', async () => {
	const list = await ask('/api/v0/web/components')
	const wanted = alloy('GET /api/v0/web/components')
	const shown = comparable(list.body) as Component[]
	// Exporters can be looked at here (docs/language.md), in Alloy they cannot.
	const exporters = shown.filter((one) => one.name.startsWith('otelcol.exporter.'))
	expect(exporters.map((one) => one.liveDebuggingEnabled)).toEqual([true])
	for (const one of exporters) one.liveDebuggingEnabled = false
	expect({ ...list, body: shown }).toEqual({ ...wanted, body: comparable(wanted.body) })
	const one = await ask('/api/v0/web/components/local.file.f')
	const wantedOne = alloy('GET /api/v0/web/components/local.file.f')
	expect({ ...one, body: comparable(one.body) }).toEqual({ ...wantedOne, body: comparable(wantedOne.body) })
	// The order of the keys too.
	expect(Object.keys(JSON.parse(one.body) as object)).toEqual(
		Object.keys(JSON.parse(wantedOne.body) as object),
	)
})

/** Alloy's texts with the line numbers of our shorter file. */
const lines = pipeline.split('\n').length - recorded.config.split('\n').length
const moved = (answer: Answer): Answer => ({
	...answer,
	body: answer.body.replace(
		/config\.alloy:(\d+):/,
		(_all, line: string) => `config.alloy:${Number(line) + lines}:`,
	),
})

test('reloads good and bad answer as Alloy did, and a bad one changes nothing at all', async () => {
	expect(await ask('/-/reload')).toEqual(alloy('GET /-/reload'))
	expect(await ask('/-/reload', 'POST')).toEqual(alloy('POST /-/reload same'))
	const running = await healths()
	const steps = [
		['parse error', '\nlocal.file "g" {\n  filename = \n}\n'],
		['unknown component', '\nno.such "x" { }\n'],
		['runtime failure', '\nlocal.file "g" {\n  filename = "/no/such"\n}\n'],
	] as const
	for (const [step, more] of steps) {
		const wanted = moved(alloy(`POST /-/reload ${step}`))
		await config(pipeline + padded(more, wanted.body))
		expect(await ask('/-/reload', 'POST')).toEqual(wanted)
		// On purpose: Alloy lets the failing one half through.
		expect(await healths()).toEqual(running)
		expect((await ask('/-/healthy')).status).toBe(200)
		expect(await metric('alloy_config_last_load_successful')).toBe(0)
	}
	expect(await metric('alloy_config_load_failures_total')).toBe(3)
	await config(pipeline)
	expect(await ask('/-/reload', 'POST')).toEqual(alloy('POST /-/reload back'))
	expect(await ask('/-/healthy')).toEqual(alloy('healthy after'))
	expect(await metric('alloy_config_last_load_successful')).toBe(1)
})

/** The recording does not say what was appended, only where the mistake was: as many empty lines before it. */
function padded(more: string, wanted: string): string {
	const line = Number(/config\.alloy:(\d+):/.exec(wanted)![1])
	const own = pipeline.split('\n').length - 1
	const mistake = more.split('\n').findIndex((text) => /^\}|^no\.such|^local\.file/.test(text))
	const at = more.includes('filename = \n') ? more.split('\n').indexOf('}') : mistake
	return '\n'.repeat(line - own - at - 1) + more
}

async function metric(name: string): Promise<number> {
	const text = (await ask('/metrics')).body
	return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1])
}

test('metric families have the names, types and labels that Alloy gives them', async () => {
	const text = (await ask('/metrics')).body
	/** What belongs to a component or service that Vör does not have, or to another library inside one. */
	const absent =
		/^(alloy_labelstore|http_server|otelcol_processor|otelcol_receiver|prometheus_remote_storage|remotecfg|rpc_client)_/
	const differences: string[] = []
	for (const [name, { type, example }] of Object.entries(recorded.metrics)) {
		if (absent.test(name) || onPurpose.has(name)) continue
		const ours = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(text)?.[1]
		if (ours !== type) {
			differences.push(`${name}: ${ours ?? 'absent'}, wanted ${type}`)
			continue
		}
		const labels = (line: string): string[] =>
			[...line.matchAll(/([a-z_]+)="/g)]
				.map((match) => match[1]!)
				.filter((label) => !label.startsWith('otel_scope'))
		const sample = new RegExp(`^${name}(?:_bucket)?[ {].*$`, 'm').exec(text)?.[0]
		if (sample === undefined || name.startsWith('otelcol_')) continue
		if (labels(sample).sort().join() !== labels(example).sort().join() && !example.includes('referenc'))
			differences.push(`${name}: ${labels(sample).join()}, wanted ${labels(example).join()}`)
	}
	expect(differences).toEqual([])
})

/** Listed with the reason in docs/language.md. */
const onPurpose = new Set([
	// No two of the components here are connected.
	'alloy_component_graph_connection',
	// Nothing has waited for another yet; the histogram is there from the first time.
	'alloy_component_dependencies_wait_seconds',
	'otelcol_exporter_in_flight_requests',
	'otelcol_exporter_queue_batch_send_size',
	'otelcol_exporter_queue_batch_send_size_bytes',
])

test('a watched file that vanishes makes its component unhealthy', async () => {
	await rm(join(folder, 'watched.txt'))
	await eventually(
		async () => ((await ask('/-/healthy')).status === 500 ? true : undefined),
		() => vor.stderr(),
	)
	expect(await healths()).toEqual(recordedHealths('components after watched file vanished'))
	expect(await ask('/-/healthy')).toEqual(alloy('healthy after watched file vanished'))
	// SIGHUP reads the configuration again: the component ran before, so this is no failure.
	vor.child.kill('SIGHUP')
	await vor.waitFor(/msg="config reloaded" added/)
})

test('SIGTERM ends with exit code 0, and the log says what Alloy’s says', async () => {
	expect(await vor.stop('SIGTERM')).toBe(recorded.SIGTERM.rc)
	const messages = (lines: readonly string[]): Set<string> =>
		new Set(
			lines
				.map((line) => /msg=("(?:[^"\\]|\\.)*"|\S*)/.exec(line)?.[1] ?? '')
				.map((text) => text.replace(/^"|"$/g, '')),
		)
	const ours = messages(vor.stderr().split('\n'))
	const missing = [
		...messages(recorded.stderr.filter((line) => !/component_id=otelcol\.(receiver|processor)/.test(line))),
	]
		.map((text) => text.replace('Alloy', productName))
		.filter((text) => !ours.has(text))
	expect(missing.sort()).toEqual(
		[
			// Belong to what Vör is not: a cluster, a Go program, a server that may also speak TLS.
			'applying non-TLS config to HTTP server',
			'boringcrypto enabled',
			'memory is not limited, skipping',
			'no peer discovery configured: both join and discover peers are empty',
			'node exited with error',
			'peers changed',
			'starting cluster node',
		].sort(),
	)
})
