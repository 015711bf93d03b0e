import { expect, test } from 'vitest'
import { loadKernelObject } from '../../src/capture/kernel-object.ts'
import { FORMS, SURFACES } from '../../src/capture/surfaces.ts'
import { VorError } from '../../src/util/errors.ts'
import { type Exchange, openKernel, type StorageForm } from './support/kernel.ts'
import { close, move, pair, type Sockets, type Step, startSockets } from './support/sockets.ts'

const BIG = 'y'.repeat(3000)
const ok = (status: number, body: string, more = ''): string =>
	`HTTP/1.1 ${status} Said\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`

/** A bit of everything: methods, statuses, bodies, cuts, calls, families, chunks, a call to another server on the way. */
function mix(family: string): Step[] {
	return [
		pair(family, '', {}),
		...move('c', 's', 'GET /a?b=1 HTTP/1.1\r\nHost: shop\r\n\r\n', { call: 'write' }),
		...move('s', 'c', ok(200, 'hello')),
		...move('c', 's', 'POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello', {
			call: 'writev',
			cut: [1, 7, 20],
		}),
		...move(
			's',
			'c',
			'HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n3\r\nvor\r\n0\r\n\r\n',
			{
				call: 'sendmsg',
				cut: [30, 20, 10],
			},
		),
		...move(
			'c',
			's',
			'PUT /big HTTP/1.1\r\nHost: shop\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nContent-Length: 3000\r\n\r\n' +
				BIG,
			{ call: 'sendmmsg', cut: [10, 90, 1000] },
		),
		...move('s', 'c', ok(500, BIG)),
		...move('c', 's', 'GET /out HTTP/1.1\r\nHost: shop\r\n\r\n'),
		pair(family, '2', {}),
		...move('c2', 's2', 'DELETE /inner HTTP/1.1\r\nHost: stock\r\n\r\n'),
		...move('s2', 'c2', 'HTTP/1.1 204 Gone\r\n\r\n'),
		...move('s', 'c', ok(200, 'x')),
		...close('c2', 's2', 'c', 's'),
	]
}

const NOT_THE_SAME = [
	...[
		'tgid',
		'tid',
		'traceId',
		'spanId',
		'parentId',
		'joinSeq',
		'localPort',
		'remotePort',
		'sock',
		'peerSock',
	],
	...['start', 'arrival', 'requestEnd', 'response', 'end'],
]

function facts(exchange: Exchange): object {
	return Object.fromEntries(Object.entries(exchange).filter(([name]) => !NOT_THE_SAME.includes(name)))
}

async function record(form: StorageForm, family: string): Promise<object[]> {
	const kernel = await openKernel(form)
	const sockets: Sockets = startSockets()
	try {
		kernel.select(sockets.pid)
		await sockets.run(mix(family))
		const all = kernel.exchanges()
		const spans = new Map(all.map((exchange) => [exchange.spanId, exchange]))
		return all.map((exchange) => ({ ...facts(exchange), child: spans.get(exchange.parentId)?.target ?? '' }))
	} finally {
		await sockets.stop()
		kernel.close()
	}
}

test.each(['ipv4', 'ipv6', 'unix'])(
	'the same requests give the same exchanges on every surface (%s)',
	async (family) => {
		const wanted = await record('sock', family)
		expect(wanted).toHaveLength(10)
		for (const form of ['sock_hash', 'sock_syscall', 'sock_syscall_old'] as const)
			expect(await record(form, family), form).toEqual(wanted)
	},
	240_000,
)

test.each(SURFACES)('surface %s loads here, or says what the kernel refuses', async (surface) => {
	try {
		const kernel = await loadKernelObject({ surface })
		try {
			expect(kernel.surface).toBe(surface)
			expect((await kernel.attach()).length).toBeGreaterThan(5)
		} finally {
			kernel.object.close()
		}
	} catch (reason) {
		if (!(reason instanceof VorError)) throw reason
		console.log(`surface ${surface}: ${reason.message}`)
		expect(surface, reason.message).toMatch(/fexit|kprobe/)
		expect(reason.code).toBe('E_KERNEL')
		expect(reason.message).toMatch(/the kernel refuses (fentry|kprobe) programs: .*E[A-Z]+/)
		expect(reason.fix).not.toBe('')
	}
})

test('a surface with a storage that it does not have is refused with what to do', async () => {
	expect(FORMS.some(({ surface, storage }) => surface === 'syscall' && storage === 'socket')).toBe(false)
	await expect(loadKernelObject({ surface: 'syscall', storage: 'socket' })).rejects.toMatchObject({
		code: 'E_CONFIG',
		fix: 'storage = "auto"',
	})
})
