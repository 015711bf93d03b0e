import { expect, test } from 'vitest'
import { type PreflightItem, withoutUnusedHooks } from '../../src/capture/preflight.ts'
import { surfaceView } from '../../src/capture/surface-view.ts'
import { SURFACES } from '../../src/capture/surfaces.ts'

const missing: PreflightItem = {
	name: 'hook sock_recv_length',
	status: 'fail',
	detail: 'not there: bytes that programs read',
	fix: 'a kernel of 6.3 or newer',
}
const needed: PreflightItem = { ...missing, name: 'hook sched_process_exec' }

test('a kernel without the hooks of surface A can run Vör where another surface loads', () => {
	const items = withoutUnusedHooks([missing, needed], 'fexit')
	expect(items.map(({ status }) => status)).toEqual(['info', 'fail'])
	expect(items[0]?.detail).toContain('fexit does without')
})

test('the entry of tcp_sendmsg is hooked by surfaces B and C themselves, not by D', () => {
	const entry: PreflightItem = { ...missing, name: 'hook tcp_sendmsg_locked', status: 'warn' }
	const statusOn = (surface: string) => withoutUnusedHooks([entry], surface)[0]?.status
	expect(statusOn('fexit')).toBe('info')
	expect(statusOn('kprobe')).toBe('info')
	expect(statusOn('syscall')).toBe('warn')
	expect(statusOn('tp_btf')).toBe('warn')
})

test('where no surface loads, the missing hooks stay a failure', () => {
	expect(withoutUnusedHooks([missing], '')).toEqual([missing])
	expect(surfaceView('')).toEqual([])
})

test('io_uring is promised only where the surface lies below the system call', () => {
	const seen = (surface: string) => surfaceView(surface).find(({ path }) => path === 'io_uring')?.seen
	expect(seen('tp_btf')).toBe('bytes only')
	expect(seen('syscall')).toBe('not seen')
})

test('reads and writes of sockets are seen on every surface, TLS in user space on none', () => {
	for (const surface of SURFACES) {
		const view = new Map(surfaceView(surface).map(({ path, seen }) => [path, seen]))
		expect(view.get('read, write, recv, send and their vectors'), surface).toBe('seen')
		expect(view.get('recvmsg, sendmsg, recvmmsg, sendmmsg'), surface).toBe('seen')
		expect(view.get('TLS in user space'), surface).toBe('not seen')
	}
})

test('every surface says something of every path that the matrix measures, once for each family', () => {
	for (const surface of SURFACES) {
		for (const form of ['', `sock_${surface}_old`]) {
			const rows = surfaceView(surface, form)
			for (const way of ['sendfile', 'splice-in', 'splice-out', 'io_uring']) {
				for (const family of ['tcp', 'unix'] as const) {
					const about = rows.filter((row) => row.ways.includes(way) && row.families.includes(family))
					expect(about, `${surface} ${way} ${family}`).toHaveLength(1)
				}
			}
			for (const row of rows) if (row.seen !== 'seen') expect(row.note, row.path).not.toBe('')
		}
	}
})

test('the forms for old kernels promise less where they have fewer hooks', () => {
	const seen = (form: string) =>
		surfaceView('fexit', form).find(({ path }) => path === 'splice out of a socket')?.seen
	expect(seen('sock_fexit')).toBe('bytes only')
	expect(seen('sock_fexit_old')).toBe('not seen')
})
