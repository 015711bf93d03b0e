import { expect, test } from 'vitest'
import { checkMemoryLock } from '../../src/capture/memory-lock.ts'

const limits = (soft: string, hard: string) =>
	`Limit                     Soft Limit           Hard Limit           Units     \n` +
	`Max locked memory         ${soft.padEnd(20)} ${hard.padEnd(20)} bytes     \n`
const SMALL = '65536'

test('kernels from 5.11 on charge BPF memory elsewhere: no limit is asked', () => {
	expect(checkMemoryLock('5.11.0', limits(SMALL, SMALL), false)).toMatchObject({ status: 'ok' })
	expect(checkMemoryLock('7.3.4', limits(SMALL, SMALL), false)).toMatchObject({ status: 'ok' })
})

test('before, a low limit is no failure for one who may raise it, and it is said', () => {
	for (const [hard, may] of [
		[SMALL, true],
		['unlimited', false],
	] as const) {
		const item = checkMemoryLock('5.10.0-46-amd64', limits(SMALL, hard), may)
		expect(item.status).toBe('ok')
		expect(item.detail).toContain(
			'65536 bytes, and this kernel charges BPF maps to it: Vör raises its own limit',
		)
	}
})

test('it is a failure for one who may not, and what mends it is said', () => {
	const item = checkMemoryLock('5.10.0', limits(SMALL, SMALL), false)
	expect(item).toMatchObject({ status: 'fail', fix: expect.stringContaining('CAP_SYS_RESOURCE') })
})

test('enough is enough', () => {
	expect(checkMemoryLock('5.10.0', limits('268435456', '268435456'), false)).toMatchObject({ status: 'ok' })
	expect(checkMemoryLock('5.4.0', limits('unlimited', 'unlimited'), false).detail).toBe('unlimited')
})
