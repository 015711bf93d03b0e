import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { wantsEarlyStart } from '../../src/cli/early-start.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-early-start-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'config.alloy')

test.each([
	['the stages', 'ebpf.ringbuf "a" {\n\toutput { }\n}\n', true],
	['all in one', 'beyla.ebpf "a" {\n}\n', true],
	['a ring of another size', 'ebpf.ringbuf "a" {\n\tring_size = "1MiB"\n}\n', false],
	['another surface', 'ebpf.ringbuf "a" {\n\tsurface="syscall"\n}\n', false],
	['state elsewhere', 'ebpf.ringbuf "a" {\n\tstorage = "hash"\n}\n', false],
	['no unix sockets', 'ebpf.ringbuf "a" {\n\tunix_sockets = false\n}\n', false],
	['nothing that watches', 'otelcol.receiver.otlp "a" {\n}\n', false],
])('the kernel is asked early for a file with %s: only where that will be needed', (_, text, wanted) => {
	writeFileSync(path, text)
	expect(wantsEarlyStart(['--server.http.listen-addr=127.0.0.1:0', path])).toBe(wanted)
})

test('nothing is begun early for what is no file', () => {
	expect(wantsEarlyStart([])).toBe(false)
	expect(wantsEarlyStart([folder, join(folder, 'absent'), '--help'])).toBe(false)
})
