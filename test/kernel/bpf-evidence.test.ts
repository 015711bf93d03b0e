import { describe, expect, it } from 'vitest'
import { ABSENT, EVIDENCE, ROLE } from '../../src/capture/layout.gen.ts'
import { type Exchange, STORAGE_FORMS } from './support/kernel.ts'
import { close, move, pair, receive, type Step, send } from './support/sockets.ts'
import { nothingStaysOpen, watchedSockets } from './support/watched-sockets.ts'

const NONE = '0000000000000000'
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const get = (path: string, traceparent = ''): string =>
	`GET ${path} HTTP/1.1\r\nHost: h\r\n${traceparent === '' ? '' : `traceparent: ${traceparent}\r\n`}\r\n`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

describe.each(STORAGE_FORMS)('evidence of parents (%s)', (form) => {
	const watched = watchedSockets(form)
	nothingStaysOpen(watched)

	async function run(...steps: (Step | Step[])[]): Promise<(target: string, role: number) => Exchange> {
		await watched.sockets.run(steps.flat())
		const all = watched.kernel.exchanges()
		return (target, role) => {
			const found = all.filter((one) => one.target === target && one.role === role)
			if (found.length !== 1) throw new Error(`${found.length} exchanges ${target} of role ${role}`)
			return found[0] as Exchange
		}
	}
	const { SERVER, CLIENT } = ROLE

	it.each(['ipv4', 'ipv6', 'mapped'])('joins client and server of one connection (%s)', async (family) => {
		const turns = Array.from({ length: 5 }, (_, i) => [
			...move('c', 's', get(`/${i}`)),
			...move('s', 'c', OK),
		])
		const of = await run(pair(family), ...turns, close('c', 's'))
		const traces = new Set<string>()
		for (let i = 0; i < turns.length; i++) {
			const client = of(`/${i}`, CLIENT)
			const server = of(`/${i}`, SERVER)
			expect(server.traceId).toBe(client.traceId)
			expect(server.parentId).toBe(client.spanId)
			expect(server.evidence).toBe(EVIDENCE.SAME_HOST)
			expect(server.flags).toContain('JOINED')
			expect(client.flags).toContain('IDS_PUBLISHED')
			expect(client.flags).not.toContain('JOIN_KEY')
			expect(server.joinSeq).toBe(client.joinSeq)
			expect(client.parentId).toBe(NONE)
			traces.add(client.traceId)
		}
		expect(traces.size).toBe(turns.length)
	})

	it('joins pipelined requests each with its own', async () => {
		const of = await run(
			pair(),
			move('c', 's', get('/a')),
			move('c', 's', get('/b')),
			move('s', 'c', OK + OK),
			close('c', 's'),
		)
		for (const target of ['/a', '/b']) expect(of(target, SERVER).parentId).toBe(of(target, CLIENT).spanId)
		expect(of('/a', CLIENT).spanId).not.toBe(of('/b', CLIENT).spanId)
	})

	it('leaves the key with both ends when the request came in too small a first piece to publish', async () => {
		const of = await run(
			pair(),
			move('c', 's', get('/tiny'), { cut: [1] }),
			move('s', 'c', OK),
			close('c', 's'),
		)
		const client = of('/tiny', CLIENT)
		const server = of('/tiny', SERVER)
		for (const one of [client, server]) expect(one.flags).toContain('JOIN_KEY')
		expect(server.joinSeq).toBe(client.joinSeq)
	})

	it('lets a traceparent header win over the join, and names it', async () => {
		const of = await run(
			pair(),
			move('c', 's', get('/h', `00-${TRACE}-${SPAN}-01`)),
			move('s', 'c', OK),
			close('c', 's'),
		)
		for (const role of [SERVER, CLIENT]) {
			const one = of('/h', role)
			expect([one.traceId, one.parentId, one.evidence]).toEqual([TRACE, SPAN, EVIDENCE.HEADER])
		}
	})

	it('takes the client as parent when the header only repeats its trace (a proxy forwards it)', async () => {
		const of = await run(
			pair('ipv4', '1'),
			move('c1', 's1', get('/outer', `00-${TRACE}-${SPAN}-01`)),
			pair('ipv4', '2'),
			move('c2', 's2', get('/inner', `00-${TRACE}-${SPAN}-01`)),
			move('s2', 'c2', OK),
			move('s1', 'c1', OK),
			close('c1', 's1', 'c2', 's2'),
		)
		const outer = of('/outer', SERVER)
		const client = of('/inner', CLIENT)
		const server = of('/inner', SERVER)
		expect([client.evidence, client.parentId, client.traceId]).toEqual([EVIDENCE.THREAD, outer.spanId, TRACE])
		expect([server.evidence, server.parentId, server.traceId]).toEqual([
			EVIDENCE.SAME_HOST,
			client.spanId,
			TRACE,
		])
		expect(server.flags).toContain('REFUSED_HEADER_SAME_TRACE')
	})

	it.each([
		['version ff', `ff-${TRACE}-${SPAN}-01`],
		['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
		['no trace id', `00-${'0'.repeat(32)}-${SPAN}-01`],
		['no span id', `00-${TRACE}-${NONE}-01`],
		['too short', `00-${TRACE}-${SPAN}-0`],
		['version 00 that goes on', `00-${TRACE}-${SPAN}-01-more`],
		['later version that goes on without a dash', `01-${TRACE}-${SPAN}-01more`],
		['no hex', `00-${TRACE.replace('a', 'g')}-${SPAN}-01`],
		['twice', `00-${TRACE}-${SPAN}-01\r\ntraceparent: 00-${TRACE}-${SPAN}-01`],
		['folded', `00-${TRACE}-${SPAN}-01\r\n more`],
	])('refuses a traceparent that is not valid: %s', async (_, value) => {
		const of = await run(pair(), move('c', 's', get('/bad', value)), move('s', 'c', OK), close('c', 's'))
		expect(of('/bad', SERVER).flags).not.toContain('TRACEPARENT')
		expect(of('/bad', SERVER).traceId).not.toBe(TRACE)
	})

	it('accepts a later version that goes on after a dash', async () => {
		const value = `cc-${TRACE}-${SPAN}-00-what-comes`
		const of = await run(pair(), move('c', 's', get('/v', value)), move('s', 'c', OK), close('c', 's'))
		expect(of('/v', SERVER).traceId).toBe(TRACE)
		expect(of('/v', SERVER).flags).not.toContain('SAMPLED_FLAG')
	})

	it('takes the one request open on a thread as parent, and nothing when there are two', async () => {
		const of = await run(
			pair('ipv4', '1'),
			pair('ipv4', '2'),
			pair('ipv4', '3'),
			pair('ipv4', '4'),
			move('c1', 's1', get('/one')),
			move('c2', 's2', get('/two')),
			move('c3', 's3', get('/three')),
			...['1', '2', '3'].map((n) => move(`s${n}`, `c${n}`, OK)),
			move('c4', 's4', get('/four')),
			move('s4', 'c4', OK),
			close(...['1', '2', '3', '4'].flatMap((n) => [`c${n}`, `s${n}`])),
		)
		expect(of('/one', CLIENT).absent).toBe(ABSENT.NO_OPEN_REQUEST)
		const two = of('/two', CLIENT)
		expect([two.evidence, two.parentId, two.traceId]).toEqual([
			EVIDENCE.THREAD,
			of('/one', SERVER).spanId,
			of('/one', SERVER).traceId,
		])
		const three = of('/three', CLIENT)
		expect([three.evidence, three.parentId, three.absent]).toEqual([EVIDENCE.NONE, NONE, ABSENT.AMBIGUOUS])
		expect(of('/four', CLIENT).absent).toBe(ABSENT.NO_OPEN_REQUEST)
	})

	it('says why there is no parent: another thread, or a socket that does not block', async () => {
		const inner = (n: string): Step[] => [
			...move(`c${n}`, `s${n}`, get(`/${n}`)),
			...move(`s${n}`, `c${n}`, OK),
		]
		const of = await run(
			pair('ipv4', '1'),
			pair('ipv4', '2'),
			move('c1', 's1', get('/outer')),
			{ do: 'thread', steps: inner('2') },
			move('s1', 'c1', OK),
			pair('ipv4', '3', { nonblocking: true }),
			pair('ipv4', '4'),
			move('c3', 's3', get('/event-loop')),
			inner('4'),
			move('s3', 'c3', OK),
			close(...['1', '2', '3', '4'].flatMap((n) => [`c${n}`, `s${n}`])),
		)
		expect(of('/2', CLIENT).absent).toBe(ABSENT.OTHER_THREAD)
		expect(of('/4', CLIENT).absent).toBe(ABSENT.NONBLOCKING)
		for (const path of ['/2', '/4']) expect(of(path, CLIENT).parentId).toBe(NONE)
	})

	it('gives the thread back when the connection ends without a response', async () => {
		const of = await run(
			pair('ipv4', '1'),
			pair('ipv4', '2'),
			move('c1', 's1', get('/gone')),
			close('s1', 'c1'),
			move('c2', 's2', get('/free')),
			move('s2', 'c2', OK),
			close('c2', 's2'),
		)
		expect(of('/free', CLIENT).absent).toBe(ABSENT.NO_OPEN_REQUEST)
	})

	it('knows when the first byte became readable', async () => {
		const of = await run(
			pair(),
			send('c', get('/late')),
			{ do: 'sleep', ms: 30 },
			receive('s', get('/late')),
			move('s', 'c', OK),
			close('c', 's'),
		)
		const { arrival, start } = of('/late', SERVER)
		expect(arrival).toBeGreaterThan(0)
		expect(start - arrival).toBeGreaterThan(29e6)
		expect(start - arrival).toBeLessThan(2e9)
	})
})
