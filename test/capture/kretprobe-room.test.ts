import { cpus } from 'node:os'
import { expect, test } from 'vitest'
import { countCpus, kretprobeRoom, ownKretprobeRoom } from '../../src/capture/kretprobe-room.ts'

test.each([
	['5.10.0-46-amd64', '#1 SMP Debian 5.10.240-1 (2025-06-01)', 4, 4],
	['5.15.0-97-generic', '#107-Ubuntu SMP Wed Feb 7 13:26:48 UTC 2024', 64, 64],
	['5.10.0-rt', '#1 SMP PREEMPT_RT Debian', 4, 10],
	['6.1.0-56-amd64', '#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1', 8, 16],
	['6.1.0', '#1 SMP', 8, 8],
	['6.2.0', '#1 SMP', 4, 10],
	['6.12.107', '#1 SMP', 96, 192],
	['7.3.4', '#1 SMP', 2, 10],
])('Linux %s (%s) with %i CPUs follows %i calls of a function at once', (kernel, flags, cpusOf, room) => {
	expect(kretprobeRoom(kernel, flags, cpusOf)).toBe(room)
})

test('lists of CPUs are counted', () => {
	expect(countCpus('0\n')).toBe(1)
	expect(countCpus('0-7\n')).toBe(8)
	expect(countCpus('0-3,8,10-11')).toBe(7)
	expect(countCpus('none')).toBe(0)
})

test('this machine has room for no fewer calls than it has CPUs', () => {
	expect(ownKretprobeRoom()).toBeGreaterThanOrEqual(cpus().length)
})
