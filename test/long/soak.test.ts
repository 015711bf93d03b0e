import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { selecting, stages } from '../e2e/support/pipelines.ts'
import { type Program, run, startProgram } from '../e2e/support/process.ts'
import { buildLoadMaker, type Server, startC, startNginx } from '../e2e/support/programs.ts'
import { eventually, startVor, sumMetric, type Vor } from '../e2e/support/vor.ts'
import { type Backend, startBackend } from '../export/backend.ts'

/** How long the traffic lasts. */
const seconds = Number(process.env['VOR_SOAK_SECONDS'] ?? 180)
const direct = 1000
const proxied = 300

const folder = mkdtempSync(join(tmpdir(), 'vor-soak-'))
const binary = join(folder, 'soak-server')
let upstream: Server
let nginx: Server
let backend: Backend
let vor: Vor
const loads: Program[] = []

beforeAll(async () => {
	// Executables of its own, which the pipeline selects and nobody else runs: by ports, every new program of the machine would
	// be captured until it is known that it opens none, and its load be ours.
	const first = await startC()
	copyFileSync(`/proc/${first.pid}/exe`, binary)
	await first.stop()
	const [found] = (process.env['PATH'] ?? '').split(':').filter((path) => existsSync(join(path, 'nginx')))
	copyFileSync(join(found ?? '/usr/sbin', 'nginx'), join(folder, 'nginx'))
	process.env['PATH'] = `${folder}:${process.env['PATH']}`
	upstream = await startServer()
	nginx = await startNginx(
		`upstream c { server 127.0.0.1:${upstream.port}; keepalive 16; }
		server {
			listen 127.0.0.1:PORT;
			location / { return 200 yes; }
			location /p/ { proxy_pass http://c; proxy_http_version 1.1; proxy_set_header Connection ""; }
			location /stub_status { stub_status; }
		}`,
	)
	backend = await startBackend(() => undefined)
	vor = await startVor(pipeline(0))
}, 180_000)
afterAll(async () => {
	await Promise.all([...loads, vor, nginx, upstream].map((program) => program?.stop()))
	backend?.stop()
	rmSync(folder, { recursive: true, force: true })
})

/** Changes with `i` what a reload may change while everything runs on. */
const pipeline = (i: number): string =>
	stages({
		endpoint: backend.endpoint,
		ringbuf: selecting({ executables: [`${folder}/*`] }),
		correlate: `routes {\n\t\tpatterns = ["/p/${i}"]\n\t}`,
	})

async function startServer(): Promise<Server> {
	const program = startProgram(binary, [])
	const port = Number((await program.waitFor(/listening (\d+)/))[1])
	return Object.assign(program, { port, url: `http://127.0.0.1:${port}` })
}

/** Requests that nginx has counted, this one included. */
async function stubStatus(): Promise<number> {
	const text = await (await fetch(`${nginx.url}/stub_status`)).text()
	return Number(text.match(/\n\s*\d+ \d+ (\d+)/)?.[1])
}

/** MiB, without the ring's mapping. */
function residentMemory(): number {
	let kib = 0
	let isRing = false
	for (const line of readFileSync(`/proc/${vor.pid}/smaps`, 'utf8').split('\n')) {
		if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isRing = line.includes('bpf-map')
		const match = /^Rss:\s+(\d+) kB/.exec(line)
		if (match !== null && !isRing) kib += Number(match[1])
	}
	return kib / 1024
}

/** `received - sent - dropped - held` of every stage, which the design says is 0. */
function imbalances(text: string): Record<string, number> {
	const rest: Record<string, number> = {}
	for (const match of text.matchAll(
		/^vor_component_(received_total|sent_total|dropped_total|held)\{(.*)\} (\S+)$/gm,
	)) {
		const id = /component_id="([^"]+)"/.exec(match[2] ?? '')?.[1] ?? ''
		rest[id] = (rest[id] ?? 0) + (match[1] === 'received_total' ? 1 : -1) * Number(match[3])
	}
	return rest
}

/** What the pipeline says of its losses. */
const lost = (text: string): string =>
	text
		.split('\n')
		.filter(
			(line) =>
				/^vor_(component_dropped|kernel_events|fallback|unknown|program_rec)/.test(line) && !/ 0$/.test(line),
		)
		.join('\n')

const median = (values: readonly number[]): number =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

it(
	`${seconds} s of mixed traffic, new connections, new processes and reloads lose nothing and grow nothing`,
	async () => {
		const before = await stubStatus()
		const end = performance.now() + seconds * 1000
		const running = (): boolean => performance.now() < end
		const loadMaker = await buildLoadMaker()
		const load = (connections: number, rate: number, path: string): Program => {
			const args = [nginx.port, connections, rate, seconds, path].map(String)
			const started = startProgram(loadMaker, args)
			loads.push(started)
			return started
		}
		const plain = load(32, direct, '/')
		const through = load(16, proxied, '/p/kept')
		let viaProxy = 0
		let toNewServers = 0

		/** New processes with new connections. */
		async function curls(): Promise<void> {
			for (let i = 0; running(); i++) {
				const { code } = await run('curl', ['-sSf', '-o', '/dev/null', `${nginx.url}/p/${i}/[1-3]`])
				expect(code).toBe(0)
				viaProxy += 3
				await sleep(100)
			}
		}
		/** Servers that come and go, asked from their first moment to their last. */
		async function servers(): Promise<void> {
			for (let i = 0; running(); i++) {
				const server = await startServer()
				const { code } = await run('curl', ['-sSf', '-o', '/dev/null', `${server.url}/new/${i}/[1-20]`])
				expect(code).toBe(0)
				toNewServers += 20
				await server.stop()
				await sleep(500)
			}
		}
		async function reloads(): Promise<number> {
			for (let i = 1; ; i++) {
				await sleep(2000)
				if (!running()) return i - 1
				writeFileSync(join(vor.folder, 'config.alloy'), pipeline(i))
				expect((await fetch(`${vor.url}/-/reload`, { method: 'POST' })).status).toBe(200)
			}
		}
		const rss: number[] = []
		const files: number[] = []
		let delay = 0
		async function watch(): Promise<void> {
			while (running()) {
				await sleep(Math.min(5000, (seconds * 1000) / 20))
				const text = await vor.metrics()
				rss.push(residentMemory())
				files.push(sumMetric(text, 'process_open_fds'))
				delay = Math.max(delay, sumMetric(text, 'vor_event_loop_delay_seconds', { quantile: '0.99' }))
			}
		}
		const [, , reloaded] = await Promise.all([curls(), servers(), reloads(), watch()])
		await Promise.all(loads.map((each) => each.exited))
		const completed = (program: Program): number => {
			const [, sent, done] = program.stdout().match(/sent (\d+) completed (\d+) errors 0 other 0/) ?? []
			expect(done, program.stdout()).toBe(sent)
			return Number(done)
		}
		viaProxy += completed(through)
		expect(completed(plain)).toBeGreaterThan(direct * seconds * 0.5)

		// One span of nginx a request, two more where it asks the other, one of a new server a request.
		let truth = 0
		let spans = 0
		let text = ''
		await eventually(
			async () => {
				truth = (await stubStatus()) - before + 1 + 2 * viaProxy + toNewServers
				await sleep(1500)
				text = await vor.metrics()
				spans = sumMetric(text, 'vor_component_received_total', { component_id: 'ebpf.aggregate.t' })
				return spans === truth ? true : undefined
			},
			() => `${truth} spans to be seen, ${spans} were; ${JSON.stringify(imbalances(text))}\n${lost(text)}`,
			30_000,
		)
		const third = Math.floor(rss.length / 3)
		const middle = median(rss.slice(third, 2 * third))
		const last = median(rss.slice(2 * third))
		console.log(
			`${spans} spans in ${seconds} s, ${reloaded} reloads, ${toNewServers / 20} servers came and went; RSS without the ring ${rss.map((mib) => mib.toFixed(0)).join(' ')} MiB; files ${files.join(' ')}; event loop delay p99 at most ${(delay * 1000).toFixed(1)} ms`,
		)
		for (const rest of Object.values(imbalances(text))) expect(rest).toBe(0)
		// The kernel's own drops may be of others, which are captured until they are known; of ours every one was counted above.
		const drops = (labels: Record<string, string>) =>
			sumMetric(text, 'vor_component_dropped_total', { intentional: 'false', ...labels })
		expect(drops({}) - drops({ component_id: 'ebpf.ringbuf.t' })).toBe(0)
		// The exporter was told of every span, and the backend got every one.
		const exported = () =>
			backend.received.reduce((sum, { signal, items }) => sum + (signal === 'traces' ? items : 0), 0)
		await eventually(
			() => (exported() >= spans ? true : undefined),
			() => `${exported()} of ${spans} spans arrived`,
		)
		// Flat: what a batch more or less makes, no more.
		expect(last).toBeLessThan(middle + 12)
		expect(Math.max(...files) - Math.min(...files)).toBeLessThan(20)
	},
	(seconds + 240) * 1000,
)
