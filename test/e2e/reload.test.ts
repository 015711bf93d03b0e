import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listPrograms } from 'bpf-native-loader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Judge, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { type Program, run, startProgram } from './support/process.ts'
import { buildLoadMaker, type Server, startNginx, startNode } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

const rate = 10_000
const reloads = 200

/** Ids of the BPF programs or links that a process holds, sorted. */
function heldBy(pid: number, what: 'prog_id' | 'link_id'): number[] {
	const ids = new Set<number>()
	for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
		const text = readOr(`/proc/${pid}/fdinfo/${fd}`)
		const match = new RegExp(`^${what}:\\s*(\\d+)`, 'm').exec(text)
		if (match !== null && (what === 'link_id' || !text.includes('link_id'))) ids.add(Number(match[1]))
	}
	return [...ids].sort((a, b) => a - b)
}

function readOr(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		return ''
	}
}

const residentMb = (pid: number) =>
	Number(/VmRSS:\s+(\d+)/.exec(readOr(`/proc/${pid}/status`))?.[1] ?? 0) / 1024
const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

async function reload(vor: Vor, text: string) {
	writeFileSync(join(vor.folder, 'config.alloy'), text)
	const response = await fetch(`${vor.url}/-/reload`, { method: 'POST' })
	return { status: response.status, text: await response.text() }
}

const red = (vor: Vor, service: string) =>
	vor.metric('http_server_request_duration_seconds_count', { service_name: service })

describe('reloads under load', () => {
	let nginx: Server
	let vor: Vor
	let load: Program | undefined
	let base: string
	let ringbuf: string

	beforeAll(async () => {
		nginx = await startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }')
		ringbuf = selecting({ ports: [nginx.port] })
		base = stages({ ringbuf })
		vor = await startVor(base, { VOR_STABILITY_LEVEL: 'experimental' })
	})
	afterAll(async () => {
		await vor?.stop()
		await load?.stop()
		await nginx?.stop()
	})

	/** What may change downstream of the probes, one after the other, and files that must be refused. */
	const changes: { name: string; ok: boolean; text: (i: number) => string }[] = [
		{
			name: 'routes',
			ok: true,
			text: (i) => stages({ ringbuf, correlate: `routes {\n\t\tpatterns = ["/r${i}"]\n\t}` }),
		},
		{ name: 'syntax', ok: false, text: () => base.replace('output {', 'output [') },
		{
			name: 'attributes',
			ok: true,
			text: (i) => stages({ ringbuf, correlate: `attributes {\n\t\texclude = ["x.${i}"]\n\t}` }),
		},
		{
			name: 'reference',
			ok: false,
			text: () => base.replace('ebpf.decode.t.input', 'ebpf.decode.other.input'),
		},
		{ name: 'interval', ok: true, text: (i) => stages({ ringbuf, interval: `${500 + i}ms` }) },
		{ name: 'type', ok: false, text: () => stages({ ringbuf, interval: 'soon' }) },
		{ name: 'hold', ok: true, text: (i) => stages({ ringbuf, propagate: `hold = "${900 + i}ms"` }) },
		{ name: 'component', ok: false, text: () => `${base}\nebpf.nothing "x" {\n}\n` },
		{
			name: 'exporter',
			ok: true,
			// Nobody listens there: its retries and queue must not grow anything either.
			text: (i) =>
				stages({ ringbuf, endpoint: '127.0.0.1:9' }).replace(
					'timeout = "1m"',
					`retry_on_failure {\n\t\tenabled = false\n\t}\n\n\ttimeout = "${1 + (i % 3)}s"\n`,
				),
		},
		{
			name: 'debug',
			ok: true,
			text: (i) =>
				`${stages({ ringbuf }).replace('metrics = []', 'metrics = [otelcol.exporter.debug.nowhere.input]')}
otelcol.exporter.debug "nowhere" {
	verbosity           = "${i % 2 === 0 ? 'detailed' : 'normal'}"
	use_internal_logger = false
	output_paths        = ["/dev/null"]
}
`,
		},
		{ name: 'same', ok: true, text: () => base },
	]

	it(`${reloads} of them, good and bad, lose no request, detach nothing and leave nothing behind`, async () => {
		const programs = heldBy(vor.pid, 'prog_id')
		const links = heldBy(vor.pid, 'link_id')
		expect(programs.length).toBeGreaterThan(5)
		expect(links.length).toBeGreaterThan(3)
		const rss: number[] = []
		const files: number[] = []
		const before = await red(vor, 'nginx')
		load = startProgram(await buildLoadMaker(), [String(nginx.port), '32', String(rate), '25', '/'])
		let ended = false
		void load.exited.then(() => {
			ended = true
		})
		let bad = 0
		for (let i = 0; i < reloads; i++) {
			const change = changes[i % changes.length]!
			const answer = await reload(vor, change.text(i))
			expect(answer.status, `${change.name}: ${answer.text}`).toBe(change.ok ? 200 : 400)
			if (!change.ok) {
				bad++
				expect(answer.text.length).toBeGreaterThan(20)
				expect(await vor.metric('alloy_config_last_load_successful')).toBe(0)
				expect((await fetch(`${vor.url}/-/ready`)).status).toBe(200)
			} else if (i % 20 === 0) expect(await vor.metric('alloy_config_last_load_successful')).toBe(1)
			if (i % 10 === 9) {
				rss.push(residentMb(vor.pid))
				files.push(openFiles(vor.pid))
				expect(heldBy(vor.pid, 'prog_id')).toEqual(programs)
				expect(heldBy(vor.pid, 'link_id')).toEqual(links)
			}
		}
		const duringLoad = !ended
		await load.exited
		const [, sent, completed, errors] = load.stdout().match(/sent (\d+) completed (\d+) errors (\d+)/) ?? []
		expect(Number(errors)).toBe(0)
		expect(Number(completed)).toBe(Number(sent))
		const counted = await eventually(
			async () => {
				const now = (await red(vor, 'nginx')) - before
				return now >= Number(sent) ? now : undefined
			},
			() => `RED did not reach ${sent}\n${vor.stderr().slice(-3000)}`,
			60_000,
		)
		expect(counted).toBe(Number(sent))
		expect(await vor.metric('vor_unknown_process_total')).toBe(0)
		// The same programs and no other are still loaded, as the kernel itself lists them.
		const loaded = new Set(listPrograms().map(({ id }) => id))
		for (const id of programs) expect(loaded.has(id)).toBe(true)
		const half = rss.length / 2
		const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
		const [early, late] = [mean(rss.slice(2, half)), mean(rss.slice(half))]
		console.log(
			`${load.stdout().trim()}; ${reloads} reloads, ${bad} of them refused${duringLoad ? '' : ', some after the load'}; RSS ${early.toFixed(0)} to ${late.toFixed(0)} MB; files ${files.join(' ')}`,
		)
		expect(late).toBeLessThan(early + 40)
		// A connection of this test more or less; no file for each reload.
		expect(Math.max(...files) - Math.min(...files)).toBeLessThan(20)
	}, 240_000)

	it('a bad file on SIGHUP leaves the old graph running, a good one is taken', async () => {
		writeFileSync(join(vor.folder, 'config.alloy'), 'ebpf.ringbuf "t" {')
		vor.child.kill('SIGHUP')
		await eventually(
			async () => ((await vor.metric('alloy_config_last_load_successful')) === 0 ? true : undefined),
			() => vor.stderr(),
		)
		const before = await red(vor, 'nginx')
		await (await fetch(`${nginx.url}/`)).text()
		await eventually(
			async () => ((await red(vor, 'nginx')) > before ? true : undefined),
			() => 'the old graph does not run on',
		)
		writeFileSync(join(vor.folder, 'config.alloy'), base)
		vor.child.kill('SIGHUP')
		await eventually(
			async () => ((await vor.metric('alloy_config_last_load_successful')) === 1 ? true : undefined),
			() => vor.stderr(),
		)
	})

	it('another ring size attaches anew, and what comes after is counted', async () => {
		const before = heldBy(vor.pid, 'prog_id')
		const answer = await reload(vor, stages({ ringbuf: `ring_size = "1MiB"\n\n\t${ringbuf}` }))
		expect(answer).toMatchObject({ status: 200 })
		expect((await fetch(`${vor.url}/-/ready`)).status).toBe(200)
		const after = heldBy(vor.pid, 'prog_id')
		expect(after.length).toBe(before.length)
		expect(after.filter((id) => before.includes(id))).toEqual([])
		const loaded = new Set(listPrograms().map(({ id }) => id))
		expect(before.filter((id) => loaded.has(id))).toEqual([])
		const counted = await red(vor, 'nginx')
		for (let i = 0; i < 50; i++) await (await fetch(`${nginx.url}/`)).text()
		await eventually(
			async () => ((await red(vor, 'nginx')) === counted + 50 ? true : undefined),
			() => vor.stderr().slice(-2000),
		)
	}, 60_000)
})

describe('reloads of what is selected and where it goes', () => {
	let one: Server
	let two: Server
	let judge: Judge
	let vor: Vor

	beforeAll(async () => {
		one = await startNode({ OTEL_SERVICE_NAME: 'one' })
		two = await startNode({ OTEL_SERVICE_NAME: 'two' })
		judge = await startJudge()
		vor = await startVor(stages({ endpoint: judge.endpoint, ringbuf: selecting({ ports: [one.port] }) }))
	}, 900_000)
	afterAll(async () => {
		await vor?.stop()
		await judge?.stop()
		await one?.stop()
		await two?.stop()
	})

	async function play(name: string) {
		for (const server of [one, two])
			for (let i = 0; i < 5; i++) await run('curl', ['-sS', '-o', '/dev/null', `${server.url}/${name}/${i}`])
	}
	const spansOf = (name: string) =>
		judge
			.traces()
			.filter((span) => span.kind === 'server' && String(span.attributes['url.path']).startsWith(`/${name}/`))
			.map((span) => span.service)
			.sort()

	it('another discovery selects other processes, live, with the probes left in place', async () => {
		const programs = heldBy(vor.pid, 'prog_id')
		const only = (...ports: number[]) => stages({ endpoint: judge.endpoint, ringbuf: selecting({ ports }) })
		const expected = async (name: string, services: string[]) => {
			await play(name)
			const wanted = services.flatMap((service) => Array.from({ length: 5 }, () => service))
			await eventually(
				() => (spansOf(name).length >= wanted.length ? true : undefined),
				() => `${name}: ${spansOf(name).join(' ')}`,
			)
			// Time for what must not come.
			await new Promise((resolve) => setTimeout(resolve, 1500))
			expect(spansOf(name)).toEqual(wanted)
		}
		await expected('first', ['one'])
		expect(await reload(vor, only(two.port))).toMatchObject({ status: 200 })
		await expected('second', ['two'])
		expect(await reload(vor, only(one.port, two.port))).toMatchObject({ status: 200 })
		await expected('third', ['one', 'two'])
		expect(heldBy(vor.pid, 'prog_id')).toEqual(programs)
	}, 90_000)

	it('a second branch knows every process by name at once', async () => {
		const both = stages({ endpoint: judge.endpoint, ringbuf: selecting({ ports: [one.port, two.port] }) })
		const second = `${both.replace(
			'exchanges = [ebpf.correlate.t.input]',
			'exchanges = [ebpf.correlate.t.input, ebpf.correlate.second.input]',
		)}
ebpf.correlate "second" {
	output {
		spans = [ebpf.propagate.second.input]
	}
}

ebpf.propagate "second" {
	output {
		traces = [ebpf.aggregate.second.input]
	}
}

ebpf.aggregate "second" {
	interval = "1s"

	output {
		metrics = []
	}
}
`
		expect(await reload(vor, second)).toMatchObject({ status: 200 })
		const stage = (id: string, name: string) => vor.metric(name, { component_id: id })
		const before = await stage('ebpf.aggregate.t', 'vor_component_received_total')
		await play('branch')
		await eventually(
			async () => {
				const [first, branch] = [
					(await stage('ebpf.aggregate.t', 'vor_component_received_total')) - before,
					await stage('ebpf.aggregate.second', 'vor_component_received_total'),
				]
				return first === 10 && branch === 10 ? true : undefined
			},
			() => vor.stderr().slice(-2000),
		)
		expect(await stage('ebpf.correlate.second', 'vor_unknown_process_total')).toBe(0)
		expect(
			await vor.metric('http_server_request_duration_seconds_count', { service_name: 'unknown_service' }),
		).toBe(0)
	}, 60_000)

	it('an exporter that is replaced under way loses no span and sends none twice', async () => {
		const pipeline = (i: number) =>
			stages({
				endpoint: judge.endpoint,
				ringbuf: selecting({ ports: [one.port] }),
				...(i % 3 === 2 ? { correlate: `routes {\n\t\tpatterns = ["/swap/:n${i}"]\n\t}` } : {}),
			}).replace('timeout = "1m"', `timeout = "${60 + i}s"`)
		const load = startProgram(await buildLoadMaker(), [String(one.port), '8', '400', '8', '/swap/x'])
		for (let i = 0; i < 12; i++) {
			expect(await reload(vor, pipeline(i))).toMatchObject({ status: 200 })
			await new Promise((resolve) => setTimeout(resolve, 400))
		}
		await load.exited
		const [, sent] = load.stdout().match(/sent (\d+) completed \d+ errors 0 other 0/) ?? []
		expect(Number(sent)).toBeGreaterThan(1000)
		const mine = () =>
			judge.traces().filter((span) => span.kind === 'server' && span.attributes['url.path'] === '/swap/x')
		await eventually(
			() => (mine().length >= Number(sent) ? true : undefined),
			() => `${mine().length} of ${sent} spans\n${vor.stderr().slice(-3000)}`,
			60_000,
		)
		expect(mine().length).toBe(Number(sent))
		expect(new Set(mine().map((span) => span.spanId)).size).toBe(Number(sent))
		expect(new Set(mine().map((span) => span.service))).toEqual(new Set(['one']))
	}, 90_000)
})
