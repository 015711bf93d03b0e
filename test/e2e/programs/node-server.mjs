// A Node http server for the tests. Prints "listening PORT" and serves until SIGTERM.
// UPSTREAM=http://host:port is what /front/* calls. HEADERS=1: every request's headers on stdout, as they came.
import { readFile } from 'node:fs/promises'
import http from 'node:http'

const upstream = process.env.UPSTREAM ? new URL(process.env.UPSTREAM) : undefined
const keepAlive = new http.Agent({ keepAlive: true, maxSockets: 64 })
const queued = new http.Agent({ keepAlive: true, maxSockets: 2 })

function call(path, { agent = keepAlive, host = upstream.hostname, headers = {} } = {}) {
	return new Promise((resolve, reject) => {
		const request = http.get({ host, port: upstream.port, path, agent, headers, family: 4 }, (response) => {
			let size = 0
			response.on('data', (chunk) => (size += chunk.length))
			response.on('end', () => resolve({ status: response.statusCode, size }))
		})
		request.on('error', reject)
	})
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// When the server calls on relative to having read its own request: the parent table's scenarios.
const scenarios = {
	immediate: (id) => call(`/back/${id}`),
	async await(id) {
		await call(`/first/${id}`)
		await call(`/back/${id}`)
	},
	async timer(id) {
		await sleep(20)
		await call(`/back/${id}`)
	},
	async file(id) {
		await readFile(new URL(import.meta.url))
		await call(`/back/${id}`)
	},
	dns: (id) => call(`/back/${id}`, { host: 'localhost', agent: false }),
	queued: (id) => call(`/back/${id}`, { agent: queued }),
	new_connection: (id) => call(`/back/${id}`, { agent: false }),
}

const server = http.createServer(async (request, response) => {
	const url = new URL(request.url, 'http://localhost')
	const [, first, second, third] = url.pathname.split('/')
	if (process.env.DURATIONS) {
		const start = process.hrtime.bigint()
		// To when the last byte was handed to the kernel; the event that says so comes later on a busy machine.
		const end = response.end
		response.end = (...rest) => {
			end.apply(response, rest)
			console.log(`took ${url.pathname} ${Number(process.hrtime.bigint() - start)}`)
			return response
		}
	}
	if (process.env.HEADERS) console.log(`headers ${request.url} ${JSON.stringify(request.rawHeaders)}`)
	let received = 0
	request.on('data', (chunk) => (received += chunk.length))
	const read = new Promise((resolve) => request.on('end', resolve))
	try {
		if (first === 'front') {
			await scenarios[second](third)
			response.end('front')
		} else if (first === 'status') {
			await read
			response.statusCode = Number(second)
			response.end(second === '204' || second === '304' ? undefined : `status ${second}`)
		} else if (first === 'chunked') {
			for (let i = 0; i < Number(second); i++) response.write('0123456789')
			response.end()
		} else if (first === 'slow') {
			await sleep(Number(second))
			response.end('slow')
		} else if (first === 'size') {
			await read
			response.end(Buffer.alloc(Number(second), 'x'))
		} else if (first === 'post') {
			await read
			response.end(String(received))
		} else {
			await read
			response.end('hello from node')
		}
	} catch (error) {
		response.statusCode = 502
		response.end(String(error))
	}
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.env.PORT ?? 0), process.env.HOST ?? '127.0.0.1', () =>
	console.log('listening', server.address().port),
)
process.on('SIGTERM', () => process.exit(0))
