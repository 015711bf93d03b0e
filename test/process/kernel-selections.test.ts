import { beforeEach, expect, test } from 'vitest'
import { type Entry, newEntry } from '../../src/process/entry.ts'
import { KernelSelections } from '../../src/process/kernel-selections.ts'
import { ProbeSites } from '../../src/process/probe-sites.ts'
import type { Verdict } from '../../src/process/selection.ts'

const second = 1e9
let probes: ProbeSites
let selections: KernelSelections

beforeEach(() => {
	probes = new ProbeSites()
	selections = new KernelSelections(probes)
})

function verdict(selection: 'selected' | 'rejected', awaitsPort = false): Verdict {
	return { selection, reason: '', name: '', namespace: '', exports: undefined, awaitsPort }
}

/** A process that started at 100 s and runs its second image since 110 s. */
function rejected(pid = 60): Entry {
	const entry = newEntry(pid, 100 * second, 1, 'server')
	entry.imageNs = 110 * second
	entry.verdict = verdict('rejected')
	return entry
}

test('a young image is rejected once it is old enough, and once, however often it was asked before', () => {
	const entry = rejected()
	for (let i = 0; i < 5; i++) selections.tell(entry, 110 * second + i)
	selections.tellDue(110.099 * second)
	expect(selections.take()).toEqual([])
	selections.tellDue(110.1 * second)
	expect(selections.take()).toEqual([{ pid: 60, selection: 'rejected', nginx: false }])
	selections.tellDue(200 * second)
	expect(selections.take()).toEqual([])
})

test('a child that is about to become another program is not rejected with its parent', () => {
	const child = newEntry(60, 100 * second, 1, 'sh')
	child.verdict = verdict('rejected')
	selections.tell(child, 100 * second)
	selections.tellDue(100.099 * second)
	expect(selections.take()).toEqual([])
	// No exec came: it stays what its parent is.
	selections.tellDue(100.1 * second)
	expect(selections.take()).toEqual([{ pid: 60, selection: 'rejected', nginx: false }])
})

test('a new image has its time again', () => {
	const entry = rejected()
	selections.tell(entry, 110 * second)
	entry.imageNs = 110.08 * second
	selections.imageReplaced(entry)
	selections.tell(entry, entry.imageNs)
	selections.tellDue(110.15 * second)
	expect(selections.take()).toEqual([])
	selections.tellDue(110.18 * second)
	expect(selections.take()).toEqual([{ pid: 60, selection: 'rejected', nginx: false }])
	// Told of the old image, it does not hold for the next.
	selections.imageReplaced(entry)
	expect(selections.take()).toEqual([{ pid: 60, selection: 'forget', nginx: false }])
})

test('who has ended while waiting is not told of', () => {
	const young = rejected(60)
	const awaiting = rejected(61)
	awaiting.verdict = verdict('rejected', true)
	const told = rejected(62)
	selections.tell(told, 120 * second)
	expect(selections.take()).toHaveLength(1)
	selections.tell(young, 110 * second)
	selections.tell(awaiting, 110 * second)
	for (const entry of [young, awaiting, told]) selections.ended(entry)
	expect(selections.take()).toEqual([{ pid: 62, selection: 'forget', nginx: false }])
	selections.tellDue(500 * second)
	expect(selections.take()).toEqual([])
})

test('who waits for a port until its image is old enough is rejected when both are over', () => {
	const entry = rejected()
	entry.imageNs = 129.95 * second
	entry.verdict = verdict('rejected', true)
	selections.tell(entry, 129.96 * second)
	selections.tellDue(130 * second)
	expect(selections.take()).toEqual([])
	selections.tellDue(130.05 * second)
	expect(selections.take()).toEqual([{ pid: 60, selection: 'rejected', nginx: false }])
})

test('a selected process is unknown to the kernel until its executable is probed', () => {
	const entry = rejected()
	entry.verdict = verdict('selected')
	entry.executableKey = '1:9'
	entry.sites = [{ program: 'probe', symbol: 'f', offset: 64 }]
	selections.tell(entry, 120 * second)
	expect(selections.take()).toEqual([])
	const [site] = probes.take()
	if (site === undefined) throw new Error('no site was asked for')
	expect(probes.note({ ...site, executableKey: '1:8' }, true)).toBe(false)
	expect(probes.note(site, true)).toBe(true)
	selections.tell(entry, 121 * second)
	expect(selections.take()).toEqual([{ pid: 60, selection: 'selected', nginx: true }])
	expect(probes.take()).toEqual([])
})
