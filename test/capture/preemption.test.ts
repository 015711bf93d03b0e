import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isPreemptible } from '../../src/capture/preemption.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-preemption-'))
afterAll(() => rmSync(folder, { recursive: true }))

function types(...names: string[]): string {
	const path = join(folder, names.join('+') || 'none')
	const text = Buffer.from(`${names.join('\0')}\0`, 'latin1')
	// Its header, sixteen bytes of types, the names.
	const header = Buffer.alloc(24 + 16)
	header.writeUInt32LE(0x1eb9f, 0)
	header.writeUInt32LE(24, 4)
	header.writeUInt32LE(16, 12)
	header.writeUInt32LE(16, 16)
	header.writeUInt32LE(text.length, 20)
	writeFileSync(path, Buffer.concat([header, text]))
	return path
}

test('tracepoint programs can be preempted where the kernel guards tracepoints by SRCU alone', () => {
	expect(isPreemptible(types('', 'class_srcu_fast_notrace_t', 'x', 'tracepoint_srcu_srcu_data'))).toBe(true)
})

test.each([
	[['', 'tracepoint_srcu_srcu_data']],
	[['', 'class_srcu_fast_notrace_t']],
	[['', 'class_srcu_fast_notrace_t_of_others', 'tracepoint_srcu_srcu_data']],
	[[]],
])('not where its types are %j', (names) => {
	expect(isPreemptible(types(...names))).toBe(false)
})

test('nor where the kernel hides its types', () => {
	expect(isPreemptible(join(folder, 'absent'))).toBe(false)
})
