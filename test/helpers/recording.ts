import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HEADER, httpRecord, LAYOUT_HASH, processKey } from '../../src/capture/layout.ts'
import { openRecording } from '../../src/capture/recording-reader.ts'
import type { RawBatch } from '../../src/model/batch.ts'
import { run, startProgram } from '../e2e/support/process.ts'
import { startGo, startNginx, startNode, startPython } from '../e2e/support/programs.ts'
import { mainJs } from '../e2e/support/vor.ts'

/** One request that curl really sent, and what it got. */
export interface SentRequest {
	/** Key of `Truth.programs` of who answered. */
	readonly program: string
	readonly method: string
	/** Unique in the recording. */
	readonly path: string
	readonly status: number
	readonly requestBody: number
	readonly responseBody: number
	/** Of the traceparent it carried, '' = none. */
	readonly traceId: string
	/** nginx → Python → Node: the path that each of them got. */
	readonly chain: boolean
}

export interface Truth {
	readonly programs: Readonly<Record<string, { readonly pid: number; readonly port: number }>>
	readonly requests: readonly SentRequest[]
	/** TLS connections that curl opened to the program `tls`. */
	readonly tlsConnections: number
	/** Parent of all programs and of every curl. */
	readonly root: number
}

export interface Recorded {
	readonly path: string
	readonly truth: Truth
	/** Every batch, in order; others may have been busy on the machine. */
	all(): RawBatch[]
	/** Only facts and records of our own programs: the same small number in every run. */
	batches(): RawBatch[]
}

/**
 * A recording of nginx, Python, Node and Go under requests by curl, made by `vor record` with the layout of this very tree:
 * recordings are tied to it, so none is committed. Made once per test run (vitest's main process), shared by its workers.
 */
export async function recorded(): Promise<Recorded> {
	const base = join(tmpdir(), `vor-test-recordings-${process.getuid?.() ?? 0}`)
	mkdirSync(base, { recursive: true, mode: 0o700 })
	sweep(base)
	const folder = join(base, `${process.ppid}-${startOf(process.ppid)}-${LAYOUT_HASH}`)
	const lock = `${folder}.lock`
	const path = join(folder, 'scene.vorrec')
	for (;;) {
		if (existsSync(folder)) break
		try {
			writeFileSync(lock, String(process.pid), { flag: 'wx' })
		} catch {
			// Another worker records; one that died meanwhile left its lock.
			const holder = Number(readFileOr(lock))
			if (holder > 0 && !existsSync(`/proc/${holder}`)) rmSync(lock, { force: true })
			await sleep(100)
			continue
		}
		try {
			if (!existsSync(folder)) {
				const unfinished = `${folder}.${process.pid}`
				mkdirSync(unfinished, { recursive: true })
				const truth = await recordScene(join(unfinished, 'scene.vorrec'))
				writeFileSync(join(unfinished, 'truth.json'), JSON.stringify(truth))
				renameSync(unfinished, folder)
			}
		} finally {
			rmSync(lock, { force: true })
		}
	}
	const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Truth
	return { path, truth, all: () => readBatches(path), batches: () => onlyOwn(readBatches(path), truth.root) }
}

/** What descends from `root`. Empty batches stay: their times drive the pipeline. */
function onlyOwn(batches: readonly RawBatch[], root: number): RawBatch[] {
	const parents = new Map<number, number>()
	for (const { processes } of batches) for (const { pid, parentPid } of processes) parents.set(pid, parentPid)
	const isOwn = (pid: number): boolean => {
		for (let at = parents.get(pid) ?? 0, i = 0; at > 1 && i < 32; at = parents.get(at) ?? 0, i++)
			if (at === root) return true
		return false
	}
	return batches.map((batch) => {
		const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.length)
		const kept: Uint8Array[] = []
		for (let at = 0; at < batch.length; ) {
			const size = view.getUint16(at + HEADER.sizeAt, true)
			const pid = view.getUint32(at + httpRecord.process + processKey.tgid, true)
			if (isOwn(pid)) kept.push(batch.bytes.subarray(at, at + size))
			at += size
		}
		const bytes = Buffer.concat(kept)
		return {
			...batch,
			bytes,
			length: bytes.length,
			records: kept.length,
			processes: batch.processes.filter(({ pid }) => isOwn(pid)),
			fallback: batch.fallback.filter(({ pid }) => isOwn(pid)),
		}
	})
}

export function readBatches(path: string): RawBatch[] {
	const reader = openRecording(path, LAYOUT_HASH)
	const batches: RawBatch[] = []
	for (;;) {
		const batch = reader.next()
		if (batch === undefined) break
		batches.push(batch)
	}
	reader.close()
	return batches
}

/** A running `vor record`. */
export async function startRecord(path: string) {
	const recorder = startProgram(process.execPath, [mainJs, 'record', path])
	await recorder.waitFor(/recording to /, 60_000)
	return recorder
}

async function recordScene(path: string): Promise<Truth> {
	const scene = await startScene()
	try {
		const recorder = await startRecord(path)
		const requests = await scene.play()
		const tlsConnections = await scene.playTls()
		// The last spans and facts are drained within 50 ms; the exchange of a kept connection is complete by then.
		await sleep(500)
		const code = await recorder.stop('SIGINT')
		if (code !== 0) throw new Error(`vor record ended with ${code}: ${recorder.stderr()}`)
		return { programs: scene.programs, requests, tlsConnections, root: process.pid }
	} finally {
		await scene.stop()
	}
}

/** The programs of a recording, running, and the traffic to play on them. */
export async function startScene() {
	const node = await startNode()
	const python = await startPython({ UPSTREAM: node.url })
	const go = await startGo()
	const nginx = await startNginx(
		`upstream python { server 127.0.0.1:${python.port}; keepalive 8; }
		server { listen 127.0.0.1:PORT; location /front/ { proxy_pass http://python; proxy_http_version 1.1; proxy_set_header Connection ""; } location / { return 200 "static"; } }`,
	)
	const tls = await startTlsServer()
	const servers = { nginx, python, node, go, tls }
	const programs: Record<string, { pid: number; port: number }> = {}
	for (const [name, { pid, port }] of Object.entries(servers)) programs[name] = { pid, port }
	let plays = 0

	return {
		programs,
		ports: [nginx.port, python.port, node.port, go.port],
		tlsPort: tls.port,
		/** Every path is new with each call. */
		async play(): Promise<SentRequest[]> {
			const tag = `p${process.pid}x${plays++}`
			const sent: SentRequest[] = []
			const send = async (program: 'nginx' | 'python' | 'node' | 'go', wanted: Partial<SentRequest>) => {
				const request: SentRequest = {
					program,
					method: 'GET',
					path: `/${tag}-${sent.length}`,
					status: 200,
					requestBody: 0,
					responseBody: 0,
					traceId: '',
					chain: false,
					...wanted,
				}
				sent.push(request)
				const got = await curl(servers[program].url, request)
				if (got !== `${request.status} ${request.responseBody}`)
					throw new Error(`${program} answered ${JSON.stringify(request)} with ${got}`)
			}
			await send('nginx', { responseBody: 6 })
			for (const program of ['node', 'python', 'go'] as const) {
				const hello = `hello from ${program}`.length
				const error = program === 'node' ? 'status 404'.length : 'status'.length
				await send(program, { responseBody: hello })
				await send(program, { path: `/status/404/${tag}`, status: 404, responseBody: error })
				await send(program, { path: `/status/503/${tag}`, status: 503, responseBody: error })
				await send(program, { path: `/status/204/${tag}`, status: 204 })
				await send(program, { path: `/size/70000/${tag}`, responseBody: 70_000 })
				await send(program, {
					path: `/post/${tag}`,
					method: 'POST',
					requestBody: 1234,
					responseBody: '1234'.length,
				})
				await send(program, { path: `/${tag}-head`, method: 'HEAD' })
				await send(program, { path: `/slow/60/${tag}`, responseBody: 4 })
			}
			await send('node', { path: `/chunked/1/${tag}`, responseBody: 10 })
			await send('go', { path: `/chunked/5/${tag}`, responseBody: 50 })
			const front = { chain: true, responseBody: 'front'.length }
			await send('nginx', { ...front, path: `/front/pass/${tag}-first` })
			await send('nginx', {
				...front,
				path: `/front/pass/${tag}-inbound`,
				traceId: createHash('md5').update(tag).digest('hex'),
			})
			await Promise.all(
				Array.from({ length: 24 }, (_, i) =>
					send('nginx', { ...front, path: `/front/pass/slow/50/${tag}-many-${i}` }),
				),
			)
			return sent
		},
		/** Opens three connections that cannot be read. */
		async playTls(): Promise<number> {
			for (let i = 0; i < 3; i++) {
				const { code, stderr } = await run('curl', ['-ksS', `https://127.0.0.1:${tls.port}/hidden/${i}`])
				if (code !== 0) throw new Error(`curl -k: ${stderr}`)
			}
			return 3
		},
		async stop() {
			for (const server of [nginx, python, node, go, tls]) await server.stop()
		},
	}
}

/** A Node https server with a certificate of its own. */
export async function startTlsServer() {
	const folder = join(tmpdir(), `vor-test-tls-${process.pid}`)
	mkdirSync(folder, { recursive: true, mode: 0o700 })
	const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
	const subject = ['-subj', '/CN=localhost', '-days', '2', '-keyout', key, '-out', cert]
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], { stdio: 'ignore' })
	const script = join(folder, 'tls-shop.mjs')
	writeFileSync(
		script,
		`import { readFileSync } from 'node:fs'
import https from 'node:https'
const server = https.createServer(
	{ key: readFileSync(${JSON.stringify(key)}), cert: readFileSync(${JSON.stringify(cert)}) },
	(_, response) => response.end('secret'),
)
server.listen(0, '127.0.0.1', () => console.log('listening', server.address().port))
process.on('SIGTERM', () => process.exit(0))
`,
	)
	const program = startProgram(process.execPath, [script])
	const port = Number((await program.waitFor(/listening (\d+)/, 30_000))[1])
	const { stop } = program
	return Object.assign(program, {
		port,
		async stop(signal?: NodeJS.Signals) {
			const code = await stop(signal)
			rmSync(folder, { recursive: true, force: true })
			return code
		},
	})
}

/** Status and body size as curl saw them. */
async function curl(url: string, request: SentRequest): Promise<string> {
	const args = ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{size_download}']
	if (request.method === 'HEAD') args.push('-I', '-X', 'HEAD')
	else if (request.method !== 'GET')
		args.push('-X', request.method, '--data-binary', 'x'.repeat(request.requestBody))
	if (request.traceId !== '') args.push('-H', `traceparent: 00-${request.traceId}-00f067aa0ba902b7-01`)
	const { stdout, stderr } = await run('curl', [...args, `${url}${request.path}`])
	return stdout === '' ? stderr : stdout
}

/** Removes what runs that are over left behind. */
function sweep(base: string): void {
	for (const name of readdirSync(base)) {
		const [pid, start] = name.split('-')
		if (startOf(Number(pid)) !== start) rmSync(join(base, name), { recursive: true, force: true })
	}
}

/** Start time of a process in ticks, so that a pid used again is another run; '' when it is gone. */
function startOf(pid: number): string {
	const stat = readFileOr(`/proc/${pid}/stat`)
	return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function readFileOr(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		return ''
	}
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Mode bits of a file. */
export const modeOf = (path: string): number => statSync(path).mode & 0o777
