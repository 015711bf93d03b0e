// What load.c does, where no C compiler was: the same arguments, lines and answers. Node.js takes many times the CPU for it.
import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { freemem } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const WINDOW = 32
const PATIENCE_MS = 10_000
const SPARE_FILES = 64
/** Each is a Node.js of its own; half of the free memory may go to them. */
const MOST_SERVERS = 32
const SERVER_BYTES = 60 << 20
const REQUEST = Buffer.from(
	'GET /api/items/42?view=full HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: vor-bench\r\nAccept: application/json\r\n\r\n',
)

interface Connection {
	readonly socket: Socket
	busy: boolean
	got: number
}

function responseOf(bytes: number): Buffer {
	const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${bytes}\r\n\r\n`
	return Buffer.concat([Buffer.from(head), Buffer.alloc(bytes, 'x')])
}

function serve(response: Buffer): void {
	const server = createServer({ noDelay: true }, (socket) => {
		let got = 0
		socket.on('error', () => socket.destroy())
		socket.on('data', (chunk) => {
			got += chunk.length
			for (; got >= REQUEST.length; got -= REQUEST.length) socket.write(response)
		})
	})
	server.listen(0, '127.0.0.1', () => {
		const address = server.address()
		process.send?.(typeof address === 'object' ? address?.port : 0)
	})
	process.once('disconnect', () => process.exit(0))
}

function fail(error: string, errno: number): never {
	process.stdout.write(`${JSON.stringify({ error, errno })}\n`)
	process.exit(1)
}

const errnoOf = (reason: unknown): number => -Number((reason as { errno?: number }).errno ?? 0)

function startServer(bytes: number): Promise<{ child: ChildProcess; port: number }> {
	return new Promise((resolve) => {
		const child = fork(fileURLToPath(import.meta.url), ['serve', String(bytes)])
		child.once('error', (reason) => fail('fork', errnoOf(reason)))
		child.once('message', (port) => resolve({ child, port: Number(port) }))
	})
}

function openConnection(port: number): Promise<Connection> {
	return new Promise((resolve) => {
		const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () =>
			resolve({ socket, busy: false, got: 0 }),
		)
		socket.on('error', (reason) => fail('connect', errnoOf(reason)))
	})
}

/** On-CPU time of all threads. */
function cpuOf(pid: number): number {
	let sum = 0
	for (const thread of readdirSync(`/proc/${pid}/task`))
		sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
	return sum
}

function allowedFiles(): number {
	const limit = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
	return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
}

async function client(processes: number, wanted: number, bytes: number): Promise<void> {
	const total = responseOf(bytes).length
	const serverCount = Math.max(1, Math.min(processes, MOST_SERVERS, Math.floor(freemem() / 2 / SERVER_BYTES)))
	const servers: { child: ChildProcess; port: number }[] = []
	for (let i = 0; i < serverCount; i++) servers.push(await startServer(bytes))
	const pids = servers.map(({ child }) => child.pid as number)
	const connections: Connection[] = []
	let [sent, completed, open, next] = [0, 0, 0, 0]
	let wake = (): void => {}
	for (let i = 0; i < Math.min(wanted, allowedFiles() - SPARE_FILES); i++) {
		const connection = await openConnection(servers[i % serverCount]?.port ?? 0)
		connection.socket.on('data', (chunk) => {
			connection.got += chunk.length
			if (connection.got < total) return
			connection.got = 0
			connection.busy = false
			completed++
			open--
			wake()
		})
		connections.push(connection)
	}
	const round = async (rate: number, ms: number, count: number) => {
		;[sent, completed, open] = [0, 0, 0]
		const [serverFrom, clientFrom] = [pids.reduce((sum, pid) => sum + cpuOf(pid), 0), cpuOf(process.pid)]
		const start = performance.now()
		const goesOn = (now: number): boolean => (count > 0 ? sent < count : now < start + ms)
		for (let now = start; goesOn(now) || open > 0; now = performance.now()) {
			const allowed = rate === 0 ? Number.POSITIVE_INFINITY : ((now - start) * rate) / 1000 + 1
			const due = count > 0 ? count : now >= start + ms ? 0 : allowed
			for (let tries = 0; tries < connections.length && sent < Math.floor(due) && open < WINDOW; tries++) {
				const connection = connections[next] as Connection
				next = (next + 1) % connections.length
				if (connection.busy) continue
				connection.busy = true
				connection.socket.write(REQUEST)
				open++
				sent++
			}
			if (now > start + ms + PATIENCE_MS) break
			await new Promise<void>((resolve) => {
				wake = resolve
				setTimeout(resolve, 1)
			})
		}
		const wallNs = Math.round((performance.now() - start) * 1e6)
		const clientNs = cpuOf(process.pid) - clientFrom
		const serverNs = pids.reduce((sum, pid) => sum + cpuOf(pid), 0) - serverFrom
		return { sent, completed, errors: open, clientNs, serverNs, wallNs }
	}
	const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`)
	say({ client: process.pid, connections: connections.length, servers: pids })
	for await (const line of createInterface({ input: process.stdin })) {
		const [rate = 0, ms = 0, count = 0] = line.split(' ').map(Number)
		say(await round(rate, ms, count))
	}
	process.exit(0)
}

const [first = '1', second = '1', third = '0'] = process.argv.slice(2)
if (first === 'serve') serve(responseOf(Number(second)))
else await client(Number(first), Number(second), Number(third))
