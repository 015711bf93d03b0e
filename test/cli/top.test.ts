import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { command } from '../../src/cli/top.ts'
import { drawTop } from '../../src/cli/top-table.ts'
import type { TopService, TopSnapshot } from '../../src/server/top-snapshot.ts'

const closers: (() => void)[] = []
afterEach(() => {
	for (const close of closers.splice(0)) close()
})

const shop: TopService = {
	service: 'shop',
	namespace: 'demo',
	language: 'nodejs',
	in: {
		requests: 12345,
		errors: 12,
		requestsPerSecond: 203.4,
		errorRatio: 0.004,
		p50: { seconds: 0.005, place: 'below' },
		p95: { seconds: 0.0123, place: 'at' },
		p99: { seconds: 10, place: 'above' },
	},
	out: { requests: 3, errors: 0, requestsPerSecond: 0.6, errorRatio: 0, p50: null, p95: null, p99: null },
	unreadable: [{ protocol: 'tls', connections: 214 }],
}
const snapshot: TopSnapshot = {
	timeMs: Date.UTC(2026, 0, 2, 3, 4, 5),
	windowSeconds: 5,
	services: [shop],
	spans: 12348,
	dropped: [{ reason: 'ring_full', count: 7 }],
}

/** The no-break space groups digits; plain spaces are easier to read in a test. */
const plain = (lines: readonly string[]) => lines.map((line) => line.replaceAll('\u00a0', ' '))

test('the table shows in, out and what cannot be read', () => {
	expect(plain(drawTop(snapshot, 200, 0))).toEqual([
		'vor top  03:04:05 UTC  1 service  12 348 spans  dropped 7 (ring_full)',
		'',
		'SERVICE         REQ/S  ERRORS   P50     P95   P99   TOTAL  LANGUAGE',
		'demo/shop  in     203    <1 %  <5ms  12.3ms  >10s  12 345  nodejs',
		'           out    0.6     0 %     -       -     -       3',
		'           not readable: TLS, 214 connections',
	])
})

test('it is cut to the terminal and says how much is hidden', () => {
	const many = { ...snapshot, services: Array.from({ length: 40 }, () => shop) }
	const lines = drawTop(many, 30, 12)
	expect(lines).toHaveLength(12)
	expect(Math.max(...lines.map((line) => line.length))).toBe(30)
	expect(lines.at(-1)).toBe('… 112 more lines')
})

test('a name with control characters cannot move the cursor', () => {
	const lines = drawTop({ ...snapshot, services: [{ ...shop, service: 'a\u001b[2Jb\u202e' }] }, 200, 0)
	expect(lines.join('')).not.toMatch(/[\u001b\u202e]/)
})

async function top(argv: string[], port: number) {
	const stdout = new PassThrough()
	const io = { stdout, stderr: new PassThrough(), env: {}, isTty: false }
	const code = await command.run([...argv, `--address=127.0.0.1:${port}`], io)
	return { code, out: String(stdout.read() ?? '') }
}

function serve(status: number, body: string): Promise<number> {
	return new Promise((resolve) => {
		const server = createServer((_request, response) => response.writeHead(status).end(body))
		closers.push(() => server.close())
		server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
	})
}

test('it reads the API of a running Vör and prints one table or JSON', async () => {
	const port = await serve(200, JSON.stringify(snapshot))
	expect((await top(['--interval=0.1'], port)).out).toContain('demo/shop')
	expect(JSON.parse((await top(['--json'], port)).out)).toEqual(snapshot)
})

test('when nothing listens, or something else does, it says so and how to mend it', async () => {
	const port = await serve(404, 'who?')
	await expect(top([], port)).rejects.toMatchObject({
		message: `what listens at http://127.0.0.1:${port} is not Vör`,
	})
	const broken = await serve(502, 'bad\u001b[2J gateway\n')
	await expect(top([], broken)).rejects.toMatchObject({
		message: expect.stringMatching(/^http:.* could not answer \(502\): bad[^\u001b]* gateway$/) as string,
	})
	const free = await serve(200, '')
	closers.pop()!()
	await expect(top([], free)).rejects.toMatchObject({
		message: expect.stringMatching(
			`no Vör answers at http://127.0.0.1:${free} .connect ECONNREFUSED`,
		) as string,
		fix: expect.stringContaining('vor run') as string,
	})
})

test('a senseless interval is refused', async () => {
	await expect(top(['--interval=0'], 1)).rejects.toMatchObject({ code: 'E_USAGE' })
})
