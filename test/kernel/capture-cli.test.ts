import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, expect, test } from 'vitest'
import { command as check, render } from '../../src/cli/check.ts'
import type { CliCommand } from '../../src/cli/command.ts'
import { command as ps } from '../../src/cli/ps.ts'
import { command as recordCommand } from '../../src/cli/record.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function run(command: CliCommand, ...argv: string[]) {
	const text = { out: '', err: '' }
	const sink = (name: 'out' | 'err') =>
		new Writable({
			write(chunk, _, done) {
				text[name] += String(chunk)
				done()
			},
		})
	const io = { stdout: sink('out'), stderr: sink('err'), env: {}, isTty: false }
	const code = await command.run(argv, io)
	return { code, ...text }
}

test('vor check says what is there as text and as JSON, and its code is 0 only when Vör can run', async () => {
	const { code, out } = await run(check, '--json')
	const findings = JSON.parse(out) as Parameters<typeof render>[0]
	expect(code).toBe(findings.ok ? 0 : 1)
	const names = findings.items.map(({ name }) => name)
	for (const name of [
		'kernel',
		'btf',
		'pid namespace',
		'capabilities',
		'lockdown',
		'memory lock',
		'cgroup2',
	]) {
		expect(names).toContain(name)
	}
	for (const { name, status, fix } of findings.items) {
		if (status === 'fail' || status === 'warn') expect(fix, name).not.toBe('')
	}
	if (findings.ok) {
		expect(findings.surface).toBe('tp_btf')
		expect(findings.view.length).toBeGreaterThan(5)
	}
	const text = render(findings)
	for (const { name, detail } of findings.items) expect(text).toContain(detail.slice(0, 20) || name)
})

test('a failed check stands with its fix in the text', () => {
	const text = render({
		ok: false,
		surface: '',
		storage: '',
		view: [],
		items: [{ name: 'btf', status: 'fail', detail: 'is missing', fix: 'another kernel' }],
	})
	expect(text).toContain('FAIL  btf  is missing')
	expect(text).toContain('fix: another kernel')
	expect(text).toContain('cannot run')
})

test('vor ps lists this very process as Vör itself, and its parent by name', async () => {
	const { code, out } = await run(ps, '--json')
	expect(code).toBe(0)
	const facts = JSON.parse(out) as {
		pid: number
		language: string
		selection: string
		selectionReason: string
	}[]
	expect(facts.find(({ pid }) => pid === process.pid)).toMatchObject({
		language: 'nodejs',
		selection: 'rejected',
		selectionReason: 'is Vör itself',
	})
	expect(facts.find(({ pid }) => pid === process.ppid)).toMatchObject({
		language: 'nodejs',
		selection: 'selected',
	})
	const table = await run(ps)
	expect(table.out.split('\n')[0]).toMatch(/^PID +LANGUAGE +PORTS +SERVICE/)
	expect(table.out).toContain('is Vör itself')
})

test('vor record without a file, with two files or a bad number says what is wrong', async () => {
	await expect(run(recordCommand)).rejects.toMatchObject({ code: 'E_USAGE' })
	await expect(run(recordCommand, 'a', 'b')).rejects.toMatchObject({ code: 'E_USAGE' })
	await expect(run(recordCommand, join(folder, 'x'), '--duration=soon')).rejects.toMatchObject({
		code: 'E_USAGE',
	})
	await expect(run(recordCommand, join(folder, 'no', 'x'))).rejects.toMatchObject({ code: 'E_FILE' })
})

test('vor record writes a file for its owner alone and says that it is unredacted', async () => {
	const path = join(folder, 'a.vorrec')
	const { code, err } = await run(recordCommand, path, '--duration=0.3')
	expect(code).toBe(0)
	expect(err).toContain('unredacted')
	expect(err).toMatch(/\d+ batches, \d+ records/)
	expect(statSync(path).mode & 0o777).toBe(0o600)
})
