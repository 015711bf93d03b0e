import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/capture/paths.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-no-btf-'))
afterAll(() => rmSync(folder, { recursive: true }))

const config = join(folder, 'vor.alloy')
writeFileSync(config, 'ebpf.ringbuf "x" {\n\toutput {\n\t\trecords = []\n\t}\n}\n')

/** The built vor, in a mount namespace of its own; `hidden`: the kernel's types are not there. */
function vor(hidden: boolean, ...args: string[]) {
	// /sys alone is made private, not the root as unshare would: in a chroot that is no mount, and refused.
	const hide = hidden ? 'mount --make-rprivate /sys && mount -t tmpfs none /sys/kernel/btf && ' : ''
	const { status, stdout, stderr } = spawnSync(
		'unshare',
		[
			...['--mount', '--propagation', 'unchanged', 'sh', '-c', `${hide}exec "$@"`, 'sh'],
			...[process.execPath, 'dist/main.js', ...args],
		],
		{ cwd: packageRoot(), encoding: 'utf8', timeout: 120_000 },
	)
	return { status, stdout, stderr }
}

const MISSING = 'this kernel does not describe its types (BTF): /sys/kernel/btf/vmlinux is missing'
const FIX = 'a kernel built with CONFIG_DEBUG_INFO_BTF=y, and sysfs mounted at /sys'

test('vor check says that a kernel without BTF is no kernel for it, and what would be one', () => {
	const { status, stdout } = vor(true, 'check')
	expect(status).toBe(1)
	expect(stdout).toMatch(/^FAIL {2}btf /m)
	expect(stdout).toContain(MISSING)
	expect(stdout).toContain(`fix: ${FIX}`)
	expect(stdout).toContain('Vör cannot run here')
}, 150_000)

test('vor run refuses a kernel without BTF in the same words', () => {
	const { status, stderr } = vor(true, 'run', '--server.http.listen-addr=127.0.0.1:0', config)
	expect(status).toBe(1)
	expect(stderr).toContain(`error: ${MISSING}`)
	expect(stderr).toContain(`fix: ${FIX}`)
}, 150_000)

test('the same check with BTF finds the addon and loads the programs', () => {
	const { status, stdout } = vor(false, 'check')
	expect(stdout).toMatch(/^ok {4}programs +\d+ load and verify$/m)
	expect(status).toBe(0)
}, 150_000)
