import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, run, startProgram } from './process.ts'

const here = fileURLToPath(new URL('../programs/', import.meta.url))
const builds = join(tmpdir(), `vor-test-programs-${process.getuid?.() ?? 0}`)

/** A program that serves HTTP on loopback. */
export interface Server extends Program {
	readonly port: number
	readonly url: string
}

async function listening(program: Program, timeoutMs = 60_000): Promise<Server> {
	const match = await program.waitFor(/listening (\d+)/, timeoutMs).catch(async (reason) => {
		await program.stop('SIGKILL')
		throw reason
	})
	const port = Number(match[1])
	return Object.assign(program, { port, url: `http://127.0.0.1:${port}` })
}

const environment = (extra: NodeJS.ProcessEnv) => ({ ...process.env, ...extra })

export const startNode = (env: NodeJS.ProcessEnv = {}) =>
	listening(startProgram(process.execPath, [join(here, 'node-server.mjs')], { env: environment(env) }))

export const startPython = (env: NodeJS.ProcessEnv = {}) =>
	listening(startProgram('python3', [join(here, 'python_server.py')], { env: environment(env) }))

export async function startGo(env: NodeJS.ProcessEnv = {}): Promise<Server> {
	const binary = await build('go-server', 'go', (out) => ['build', '-o', out, '.'], join(here, 'go-server'))
	return listening(startProgram(binary, [], { env: environment(env) }))
}

export async function startC(env: NodeJS.ProcessEnv = {}): Promise<Server> {
	const source = join(here, 'c-server.c')
	const binary = await build(
		'c-server',
		'gcc',
		(out) => ['-O2', '-D_GNU_SOURCE', '-pthread', '-o', out, source],
		here,
	)
	return listening(startProgram(binary, [], { env: environment(env) }))
}

export const startJava = (env: NodeJS.ProcessEnv = {}) =>
	listening(
		startProgram('java', ['-Xmx64m', join(here, 'JavaServer.java')], { env: environment(env) }),
		120_000,
	)

/** The paced load maker's binary: `c-load PORT CONNECTIONS RATE SECONDS PATH`. */
export const buildLoadMaker = () =>
	build('c-load', 'gcc', (out) => ['-O2', '-D_GNU_SOURCE', '-o', out, join(here, 'c-load.c')], here)

/** Many programs that sleep until the one that is returned ends: `c-sleepers COUNT GAP_US`. */
export async function startSleepers(count: number, gapUs = 0): Promise<Program> {
	const source = join(here, 'c-sleepers.c')
	const binary = await build('c-sleepers', 'gcc', (out) => ['-O2', '-D_GNU_SOURCE', '-o', out, source], here)
	const program = startProgram(binary, [String(count), String(gapUs)])
	await program.waitFor(/started/, 60_000)
	return program
}

async function build(
	name: string,
	compiler: string,
	args: (out: string) => string[],
	cwd: string,
	env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
	mkdirSync(builds, { recursive: true })
	const out = join(builds, name)
	// Another test run may be starting the same program right now.
	const own = `${out}.${process.pid}`
	const result = await run(compiler, args(own), { cwd, env })
	if (result.code !== 0) throw new Error(`${compiler} failed for ${name}:\n${result.stderr}`)
	renameSync(own, out)
	return out
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer()
		server.once('error', reject)
		server.listen(0, '127.0.0.1', () => {
			const address = server.address()
			server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
		})
	})
}

/** nginx in the foreground with its own prefix; `http` is the inside of the http block, PORT and PREFIX are replaced. */
export async function startNginx(
	http: string,
	options: { workers?: number; files?: Readonly<Record<string, string>> } = {},
): Promise<Server> {
	const prefix = mkdtempSync(join(tmpdir(), 'vor-nginx-'))
	const port = await freePort()
	mkdirSync(join(prefix, 'html'))
	const files = { 'index.html': 'hello from nginx\n', ...options.files }
	for (const [name, text] of Object.entries(files)) writeFileSync(join(prefix, 'html', name), text)
	writeFileSync(
		join(prefix, 'nginx.conf'),
		`daemon off; user root; pid ${prefix}/nginx.pid; error_log ${prefix}/error.log; worker_processes ${options.workers ?? 1};
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off; root ${prefix}/html; keepalive_requests 1000000; keepalive_timeout 300s;
  client_body_temp_path ${prefix}/body; proxy_temp_path ${prefix}/proxy;
  fastcgi_temp_path ${prefix}/fastcgi; uwsgi_temp_path ${prefix}/uwsgi; scgi_temp_path ${prefix}/scgi;
${http.replaceAll('PORT', String(port)).replaceAll('PREFIX', prefix)}
}
`,
	)
	const program = startProgram('nginx', ['-p', prefix, '-c', join(prefix, 'nginx.conf')], { parent: true })
	const stop = program.stop
	const server: Server = Object.assign(program, {
		port,
		url: `http://127.0.0.1:${port}`,
		async stop(signal: NodeJS.Signals = 'SIGTERM') {
			const code = await stop(signal)
			rmSync(prefix, { recursive: true, force: true })
			return code
		},
	})
	const deadline = performance.now() + 30_000
	for (;;) {
		try {
			await (await fetch(`${server.url}/`)).arrayBuffer()
			return server
		} catch (error) {
			if (performance.now() > deadline) {
				await server.stop()
				throw new Error(`nginx did not start: ${program.stderr()} ${String(error)}`)
			}
			await new Promise((resolve) => setTimeout(resolve, 50))
		}
	}
}
