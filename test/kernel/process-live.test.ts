import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { compileSelection, type SelectionSource } from '../../src/process/selection.ts'
import {
	type Live,
	NODE_SERVER,
	run,
	startCapture,
	startServer,
	stopServers,
} from '../capture/support/live.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-process-'))
writeFileSync(join(folder, 'shop.js'), NODE_SERVER)
let live: Live | undefined

afterEach(async () => {
	await live?.capture.stop()
	live = undefined
	stopServers()
})
afterAll(() => rmSync(folder, { recursive: true }))

function rules(source: SelectionSource) {
	const compiled = compileSelection(source)
	expect(compiled.errors).toEqual([])
	return compiled.rules
}

const curl = (port: number, path: string) =>
	run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${port}${path}`])

async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const { port } = server.address() as { port: number }
	await new Promise((resolve) => server.close(resolve))
	return port
}

test('a program selected by a port that it opens later is captured from its first request', async () => {
	const port = await freePort()
	live = await startCapture({}, { rules: rules({ instrument: [{ openPorts: String(port) }] }) })
	const script = `
		const server = require('http').createServer((_, response) => response.end('x'))
		setTimeout(() => server.listen(${port}, '127.0.0.1', () => console.log(${port})), 300)`
	const wanted = await startServer(process.execPath, ['-e', script])
	await curl(port, '/first')
	const other = await startServer(process.execPath, ['shop.js'], { cwd: folder })
	await curl(other.port, '/other')
	await live.until(() => live?.seen.some(({ target }) => target === '/first') === true, 'the first request')
	expect(live.seen.find(({ pid }) => pid === wanted.pid)).toMatchObject({
		target: '/first',
		fact: { selection: 'selected', listenPorts: [port] },
	})
	const fact = live.table.facts().find(({ pid }) => pid === other.pid)
	expect(fact).toMatchObject({ selection: 'rejected', selectionReason: expect.stringContaining('ports') })
})

test('rules that change while it runs are followed by the kernel', async () => {
	const server = await startServer(process.execPath, ['shop.js'], { cwd: folder })
	live = await startCapture()
	const seen = (target: string) =>
		live?.seen.some((one) => one.pid === server.pid && one.target === target) === true
	await curl(server.port, '/one')
	await live.until(() => seen('/one'), 'the first request')
	live.table.setRules(rules({ excludeInstrument: [{ targetPids: [server.pid] }] }))
	// The kernel is told with the next turn of the event loop.
	await new Promise((resolve) => setTimeout(resolve, 100))
	await curl(server.port, '/two')
	live.table.setRules(rules({}))
	await new Promise((resolve) => setTimeout(resolve, 100))
	await curl(server.port, '/three')
	await live.until(() => seen('/three'), 'the request after the second change')
	expect(seen('/two')).toBe(false)
})

test('forked workers, threads and scripts get the names of their program', async () => {
	const python = `
import http.server, os, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('content-length', '0'); self.end_headers()
    def log_message(self, *args): pass
server = socketserver.ForkingTCPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
`
	writeFileSync(join(folder, 'forking.py'), python)
	live = await startCapture()
	const server = await startServer('python3', ['forking.py'], {
		cwd: folder,
		env: { OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=eu,team=x' },
	})
	for (let i = 0; i < 5; i++) await curl(server.port, `/${i}`)
	const served = () => live?.seen.filter(({ role, port }) => role === 'server' && port === server.port) ?? []
	await live.until(() => served().length === 5, 'five requests')
	// A child each: five processes, one name.
	expect(new Set(served().map(({ pid }) => pid)).size).toBe(5)
	expect(served().every(({ pid }) => pid !== server.pid)).toBe(true)
	for (const { fact } of served()) {
		expect(fact).toMatchObject({
			serviceName: 'forking',
			serviceNameSource: 'script',
			serviceNamespace: 'eu',
			resourceAttributes: { team: 'x' },
			language: 'python',
			parentPid: server.pid,
		})
	}
})

test('nginx gets its probe, and its workers are flagged in the kernel', async (context) => {
	if (!existsSync('/usr/sbin/nginx')) return context.skip('nginx is not installed')
	const port = await freePort()
	const backend = await startServer(process.execPath, ['shop.js'], { cwd: folder })
	mkdirSync(join(folder, 'tmp'), { recursive: true })
	const configuration = `
daemon off; master_process on; worker_processes 1; user root;
pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path ${folder}/tmp; proxy_temp_path ${folder}/tmp; fastcgi_temp_path ${folder}/tmp;
	uwsgi_temp_path ${folder}/tmp; scgi_temp_path ${folder}/tmp;
	server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${backend.port}; } }
}`
	writeFileSync(join(folder, 'nginx.conf'), configuration)
	live = await startCapture()
	const nginx = await startServer('sh', ['-c', `echo ${port}; exec nginx -c ${folder}/nginx.conf`])
	await live.until(() => (live?.capture.statistics.probesAttached ?? 0) > 0, 'the probe')
	await live.until(() => existsSync(join(folder, 'nginx.pid')), 'nginx')
	await live.until(
		() => live?.table.facts().some((fact) => fact.parentPid === nginx.pid) === true,
		'the worker',
	)
	await curl(port, '/through')
	await live.until(
		() => (live?.seen.filter(({ target }) => target === '/through').length ?? 0) >= 4,
		'four sides',
	)
	const sides = live.seen.filter(({ target }) => target === '/through')
	expect(sides.map(({ role, fact }) => `${role} ${fact?.serviceName}`).sort()).toEqual([
		'client curl',
		'client nginx',
		'server nginx',
		'server shop',
	])
	const probe = live.capture.programs().find(({ program }) => program === 'vor_nginx_chain_writer')
	expect(probe?.id).toBeGreaterThan(0)
})

test('a Java program is known by its main class', async (context) => {
	const java = await run('java', ['-version']).catch(() => undefined)
	if (java === undefined) return context.skip('java is not installed')
	writeFileSync(
		join(folder, 'Orders.java'),
		`import com.sun.net.httpserver.*; import java.net.*;
public class Orders { public static void main(String[] a) throws Exception {
	HttpServer s = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
	s.createContext("/", x -> { x.sendResponseHeaders(200, -1); x.close(); });
	s.start(); System.out.println(s.getAddress().getPort());
} }`,
	)
	live = await startCapture()
	const server = await startServer('java', ['-Xmx64m', 'Orders.java'], { cwd: folder })
	await curl(server.port, '/java')
	await live.until(() => live?.seen.some(({ pid }) => pid === server.pid) === true, 'the request')
	expect(live.seen.find(({ pid }) => pid === server.pid)?.fact).toMatchObject({
		serviceName: 'Orders',
		serviceNameSource: 'script',
		language: 'java',
	})
})
