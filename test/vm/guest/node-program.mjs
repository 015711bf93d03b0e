// A Node server and a Node client: event loops, non-blocking sockets, writev, keep-alive.
//   node-program.mjs server            prints its port
//   node-program.mjs client PORT N     makes N requests, CONCURRENCY at a time, each with its number in the path
import { Agent, createServer, request } from 'node:http'

const CONCURRENCY = 4
const [, , role, port, count] = process.argv

if (role === 'server') {
	const server = createServer((incoming, outgoing) => {
		incoming.resume().on('end', () => {
			const number = Number(incoming.url.split('/').pop())
			outgoing.writeHead(number % 4 === 3 ? 500 : 200, { 'content-type': 'text/plain' })
			outgoing.end('x'.repeat(number))
		})
	})
	server.listen(0, '127.0.0.1', () => console.log(server.address().port))
} else {
	const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
	const one = (number) =>
		new Promise((resolve, reject) => {
			const options = { agent, host: '127.0.0.1', port, path: `/numbers/${number}`, method: 'POST' }
			const outgoing = request(options, (answer) => answer.resume().on('end', resolve).on('error', reject))
			outgoing.on('error', reject)
			outgoing.end('y'.repeat(number + 1))
		})
	await Promise.all(Array.from({ length: Number(count) }, (_, i) => one(i)))
	agent.destroy()
}
