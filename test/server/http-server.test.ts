import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { ComponentInfo } from '../../src/server/component-info.ts'
import { configFamilies, controllerFamilies } from '../../src/server/controller-families.ts'
import { type HttpServer, startHttpServer } from '../../src/server/http-server.ts'
import { productName } from '../../src/server/replies.ts'
import type { ServerSources } from '../../src/server/routes.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { renderFamilies } from '../../src/telemetry/metric-family.ts'
import { VorError } from '../../src/util/errors.ts'
import { emptySources, readSharedJson } from './shared.ts'

/** Recorded from a running Alloy: path of the request to status and body. */
const recorded =
	readSharedJson<Record<string, { status: number; type: string; body: string }>>('alloy/endpoints.json')

const servers: HttpServer[] = []
afterEach(async () => {
	for (const server of servers.splice(0)) await server.close()
})

const quiet = createLog({ write: () => undefined })

async function start(sources: Partial<ServerSources> = {}, host = '127.0.0.1'): Promise<HttpServer> {
	const server = await startHttpServer({
		listen: { host, port: 0 },
		log: quiet,
		sources: {
			...emptySources,
			...sources,
		},
	})
	servers.push(server)
	return server
}

interface Answer {
	readonly status: number
	readonly type: string
	readonly body: string
}

function get(
	server: HttpServer,
	path: string,
	method = 'GET',
	headers: Record<string, string> = {},
): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const asked = request(server.url + path, { method, headers, agent: false }, (response) => {
			let body = ''
			response.setEncoding('utf8')
			response.on('error', reject)
			response.on('data', (chunk: string) => void (body += chunk))
			response.on('end', () =>
				resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body }),
			)
		})
		asked.on('error', reject)
		asked.end()
	})
}

/** What Alloy answered, with our name in the place of its own. */
function alloy(key: string): Answer {
	const answer = recorded![key]!
	return { ...answer, body: answer.body.replaceAll('Alloy', productName) }
}

const needsRecording = { skip: recorded === undefined }
const listed =
	recorded === undefined ? [] : (JSON.parse(recorded['GET /api/v0/web/components']!.body) as ComponentInfo[])
const detailed = (id: string) =>
	JSON.parse(recorded![`GET /api/v0/web/components/${id}`]!.body) as ComponentInfo

test('ready, healthy, reload and unknown paths answer as Alloy', needsRecording, async () => {
	const server = await start()
	expect(await get(server, '/-/ready')).toEqual(alloy('GET /-/ready'))
	expect(await get(server, '/-/healthy')).toEqual(alloy('GET /-/healthy'))
	expect(await get(server, '/-/reload')).toEqual(alloy('GET /-/reload'))
	expect(await get(server, '/-/reload', 'POST')).toEqual(alloy('POST /-/reload same'))
	expect(await get(server, '/nope')).toEqual(alloy('GET /nope'))
	expect(await get(server, '/api/v0/web/nope')).toEqual(alloy('GET /api/v0/web/nope'))
	expect(await get(server, '/api/v0/web/info')).toEqual(alloy('GET /api/v0/web/info'))
})

test(
	'components, one component and an unknown one answer byte for byte as Alloy',
	needsRecording,
	async () => {
		const full = ['local.file.f', 'otelcol.receiver.otlp.r'].map(detailed)
		const server = await start({
			// Full entries: the list itself must leave the bodies out.
			components: () => listed.map((info) => full.find(({ localID }) => localID === info.localID) ?? info),
			component: (id) => full.find((info) => info.localID === id),
		})
		for (const path of [
			'/api/v0/web/components',
			'/api/v0/web/components/otelcol.receiver.otlp.r',
			'/api/v0/web/components/local.file.f',
			'/api/v0/web/components/nope.x',
		]) {
			expect(await get(server, path)).toEqual(alloy(`GET ${path}`))
		}
	},
)

test('an unhealthy component is named as Alloy names it', needsRecording, async () => {
	const health = { state: 'unhealthy', message: 'gone', updatedTime: '' } as const
	const server = await start({
		components: () => listed.map((info) => (info.localID === 'local.file.f' ? { ...info, health } : info)),
	})
	expect(await get(server, '/-/healthy')).toEqual(alloy('healthy after runtime failure'))
})

test('a refused reload gives the reason with status 400', needsRecording, async () => {
	const expected = alloy('POST /-/reload unknown component')
	const server = await start({ reload: () => Promise.resolve(expected.body.trimEnd()) })
	expect(await get(server, '/-/reload', 'POST')).toEqual(expected)
})

test(
	'the graph and the configuration are exposed under the names, labels and help of Alloy',
	needsRecording,
	() => {
		const families = recorded!['metrics'] as unknown as Record<
			string,
			{ help: string; type: string; example: string }
		>
		const state = { successful: true, lastSuccessSeconds: 1.5e9, failures: 1, sha256: 'ab' }
		const text = renderFamilies([...controllerFamilies(listed), ...configFamilies(state)])
		const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!)
		expect(names).toHaveLength(6)
		for (const name of names) {
			expect(text).toContain(
				`# HELP ${name} ${families[name]!.help}\n# TYPE ${name} ${families[name]!.type}\n`,
			)
			const labels = families[name]!.example.match(/\w+(?==")/g) ?? []
			const line = text
				.split('\n')
				.find((candidate) => candidate.startsWith(`${name}{`) || candidate.startsWith(`${name} `))!
			expect(line.match(/\w+(?==")/g) ?? []).toEqual(labels)
		}
		expect(text).toContain(families['alloy_component_graph_connection']!.example)
	},
)

test('before the first load it is not ready', async () => {
	const server = await start({ ready: () => false })
	expect(await get(server, '/-/ready')).toMatchObject({ status: 503, body: `${productName} is not ready.\n` })
})

test('metrics come as text in one piece or as they are made', async () => {
	const whole = await get(await start(), '/metrics')
	expect(whole).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: 'x 1\n' })
	const server = await start({
		async *metrics() {
			yield 'a 1\n'
			yield 'b 2\n'
		},
	})
	expect((await get(server, '/metrics?name=ignored')).body).toBe('a 1\nb 2\n')
})

test('a source that throws is answered with 500 and logged, and the server goes on', async () => {
	const server = await start({
		metrics: () => {
			throw new Error('no numbers today')
		},
	})
	expect(await get(server, '/metrics')).toMatchObject({ status: 500, body: 'no numbers today\n' })
	expect((await get(server, '/-/ready')).status).toBe(200)
})

test('another method than GET or POST does not reload', async () => {
	let reloads = 0
	const server = await start({
		reload: () => {
			reloads++
			return Promise.resolve(undefined)
		},
	})
	expect((await get(server, '/-/reload', 'DELETE')).status).toBe(405)
	expect((await get(server, '/-/reload', 'GET', { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
	expect(reloads).toBe(0)
})

test.each([
	['localhost:12345', 200],
	['127.0.0.1', 200],
	['[::1]:12345', 200],
	['192.0.2.1:12345', 200],
	['vor.localhost', 200],
	['rebound.example:12345', 403],
	['localhost.example', 403],
])('on loopback the Host header %j is answered with %d', async (host, status) => {
	expect((await get(await start(), '/-/ready', 'GET', { host })).status).toBe(status)
})

test('on every address any Host header is answered: names are the business of the network there', async () => {
	const server = await start({}, '0.0.0.0')
	expect((await get(server, '/-/ready', 'GET', { host: 'vor.monitoring.svc:12345' })).status).toBe(200)
})

test('a body beyond 64 KiB is cut off, not read', async () => {
	const server = await start()
	const sent = await new Promise<number>((resolve) => {
		const socket = connect(server.address.port, '127.0.0.1')
		const chunk = Buffer.alloc(64 * 1024, 0x61)
		let count = 0
		const more = () => {
			while (!socket.destroyed && count < 512) {
				count++
				if (!socket.write(chunk)) return
			}
			if (count >= 512) socket.end()
		}
		socket.write('POST /-/ready HTTP/1.1\r\nhost: localhost\r\ncontent-length: 33554432\r\n\r\n')
		socket.on('drain', more)
		socket.on('error', () => undefined)
		socket.on('close', () => resolve(count))
		socket.resume()
		more()
	})
	expect(sent).toBeLessThan(512)
	expect((await get(server, '/-/ready')).status).toBe(200)
})

test('an address in use is told with the command that shows who has it', async () => {
	const first = await start()
	const second = startHttpServer({ listen: first.address, log: quiet, sources: {} as ServerSources })
	const error = await second.then(
		() => undefined,
		(reason: unknown) => reason as VorError,
	)
	expect(error).toBeInstanceOf(VorError)
	expect(error!.code).toBe('E_ADDRESS_IN_USE')
	expect(error!.message).toBe(
		`cannot listen on 127.0.0.1:${first.address.port}: another program listens there`,
	)
	expect(error!.fix).toContain(`sport = :${first.address.port}`)
	expect(error!.fix).toContain('--server.http.listen-addr=127.0.0.1:')
})

test('an address that is not of this machine is refused with a fix', async () => {
	const reason = await start({}, '192.0.2.1').catch((error: unknown) => error as VorError)
	expect(reason).toMatchObject({ code: 'E_USAGE' })
})

test('close ends an open scrape within two seconds, twice safely', async () => {
	const server = await start({
		async *metrics() {
			yield 'a 1\n'
			await new Promise(() => undefined)
		},
	})
	const scrape = get(server, '/metrics').catch((error: unknown) => error)
	await new Promise((resolve) => setTimeout(resolve, 100))
	const began = performance.now()
	await Promise.all([server.close(), server.close()])
	expect(performance.now() - began).toBeLessThan(2000)
	await scrape
})
