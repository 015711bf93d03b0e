// A forward proxy as a program of its own: plain requests with the whole address, tunnels for the rest. One line of JSON on
// stdout for each: {kind, target, headers}. HOSTS maps names that no resolver knows: `name:port=host:port,…`; LOGIN is
// `user:password` for who may use it; CERT and KEY make it speak TLS; SILENT=1 takes tunnels and never answers.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'

const { HOSTS = '', LOGIN, CERT, KEY, SILENT } = process.env
const hosts = new Map(
	HOSTS.split(',')
		.filter((pair) => pair !== '')
		.map((pair) => pair.split('=')),
)
const where = (authority) => (hosts.get(authority) ?? authority).split(/:(?=\d+$)/)
const note = (kind, target, headers) => process.stdout.write(`${JSON.stringify({ kind, target, headers })}\n`)
const known = ({ headers }) =>
	LOGIN === undefined || headers['proxy-authorization'] === `Basic ${Buffer.from(LOGIN).toString('base64')}`

function forward(request, response) {
	note('plain', request.url, request.headers)
	if (!known(request)) {
		response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end()
		return
	}
	const url = new URL(request.url)
	const [host, port] = where(`${url.hostname}:${url.port === '' ? 80 : url.port}`)
	const { 'proxy-authorization': _, ...headers } = request.headers
	const path = url.pathname + url.search
	const onward = http.request(
		{ host, port, path, method: request.method, headers, agent: false },
		(answer) => {
			response.writeHead(answer.statusCode, answer.headers)
			answer.pipe(response)
		},
	)
	onward.on('error', () => response.writeHead(502).end())
	request.pipe(onward)
}

function tunnel(request, socket, head) {
	note('tunnel', request.url, request.headers)
	socket.on('error', () => {})
	socket.on('close', () => note('closed', request.url, {}))
	if (SILENT === '1') {
		// Only what reads notices an end; the other half is ours to close.
		socket.on('end', () => socket.end()).resume()
		return
	}
	if (!known(request)) {
		socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
		return
	}
	const [host, port] = where(request.url)
	const onward = net.connect(Number(port), host, () => {
		socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
		onward.write(head)
		onward.pipe(socket).pipe(onward)
	})
	onward.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
	socket.on('close', () => onward.destroy())
}

const server =
	CERT === undefined
		? http.createServer(forward)
		: https.createServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }, forward)
server.on('connect', tunnel)
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`))
