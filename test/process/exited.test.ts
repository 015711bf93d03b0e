import { expect, test } from 'vitest'
import { type Entry, newEntry } from '../../src/process/entry.ts'
import { ExitedProcesses } from '../../src/process/exited.ts'

const second = 1e9

function exited(pid: number, exitNs: number): Entry {
	const entry = newEntry(pid, pid * 1000, 1, 'tool')
	entry.exitNs = exitNs
	return entry
}

test('a process is remembered for 30 s after its exit', () => {
	const processes = new ExitedProcesses()
	processes.add(exited(1, 10 * second))
	processes.add(exited(2, 20 * second))
	processes.age(40 * second)
	expect(processes.find(1, 1000)).toBeDefined()
	processes.age(40 * second + 1)
	expect(processes.find(1, 1000)).toBeUndefined()
	expect(processes.find(2, 2000)).toBeDefined()
	// Another process with its pid.
	expect(processes.find(2, 2001)).toBeUndefined()
})

test('when more exit than are kept, the oldest is forgotten early, and that is said', () => {
	const processes = new ExitedProcesses()
	let early = 0
	for (let pid = 1; pid <= 32768; pid++) early += processes.add(exited(pid, second))
	expect(early).toBe(0)
	expect(processes.find(1, 1000)).toBeDefined()
	early += processes.add(exited(32769, second))
	early += processes.add(exited(32770, second))
	expect(early).toBe(2)
	expect([...processes.values()]).toHaveLength(32768)
	expect(processes.find(2, 2000)).toBeUndefined()
	expect(processes.find(3, 3000)).toBeDefined()
	expect(processes.find(32770, 32_770_000)).toBeDefined()
})
