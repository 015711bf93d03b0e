import type { FeatureKind } from 'bpf-native-loader'
import { expect, test } from 'vitest'
import type { PreflightItem } from '../../src/capture/preflight.ts'
import { checkKretprobes, checkSurfaces } from '../../src/capture/preflight-surfaces.ts'
import { FORMS, SURFACES } from '../../src/capture/surfaces.ts'

/** What a kernel answers that has the hooks of these surfaces and no others. */
const kernelWith =
	(...hooks: string[]) =>
	async ({ kind, name }: FeatureKind & { name?: string }) => {
		const hook = `${kind}/${name}`
		return hooks.includes(hook)
			? { supported: true, message: '' }
			: { supported: false, message: `no ${hook}` }
	}

const byName = (items: readonly PreflightItem[]) => new Map(items.map((item) => [item.name, item]))

test('surfaces are tried from A and B over D to C', async () => {
	expect([...new Set(FORMS.map(({ surface }) => surface))]).toEqual([...SURFACES])
	const items = await checkSurfaces(kernelWith('tp_btf/sock_recv_length'), 'tp_btf', [], '')
	expect(items.map(({ name }) => name)).toEqual([
		'surface A tp_btf',
		'surface B fexit',
		'surface D syscall',
		'surface C kprobe',
	])
})

test('each surface is used, could be used, or is refused in the words of the kernel', async () => {
	const probe = kernelWith('tp_btf/sys_exit', 'kprobe/tcp_sendmsg')
	const items = byName(await checkSurfaces(probe, 'syscall', [], ''))
	expect(items.get('surface B fexit')).toMatchObject({ status: 'info' })
	expect(items.get('surface B fexit')?.detail).toContain('the kernel refuses it (no fentry/tcp_sendmsg)')
	expect(items.get('surface D syscall')).toMatchObject({ status: 'ok' })
	expect(items.get('surface D syscall')?.detail).toContain('used, the first of A, B, D, C that')
	expect(items.get('surface C kprobe')?.detail).toContain('could be used')
	expect(items.has('waiting receives')).toBe(false)
})

test('a better surface that has its hooks and does not load is a warning with the reason', async () => {
	const probe = kernelWith('fentry/tcp_sendmsg', 'tp_btf/sys_exit')
	const notices = ['sock: no such hook', 'sock_fexit: the verifier refuses it', 'sock_fexit_old: as well']
	const item = byName(await checkSurfaces(probe, 'syscall', notices, '')).get('surface B fexit')
	expect(item).toMatchObject({ status: 'warn' })
	expect(item?.detail).toContain('sock_fexit: the verifier refuses it')
})

test('a surface that VOR_SURFACE asks for is said to be so, and the better ones are no warning', async () => {
	const probe = kernelWith('tp_btf/sock_recv_length', 'tp_btf/sys_exit', 'kprobe/tcp_sendmsg')
	const items = byName(await checkSurfaces(probe, 'kprobe', [], 'kprobe'))
	expect(items.get('surface C kprobe')?.detail).toContain('VOR_SURFACE=kprobe asks for it')
	expect(items.get('surface A tp_btf')).toMatchObject({ status: 'info' })
})

test('where surface C is used, it is said how many receives can wait and what is better', async () => {
	const forced = byName(
		await checkSurfaces(kernelWith('tp_btf/sys_exit', 'kprobe/tcp_sendmsg'), 'kprobe', [], 'kprobe'),
	)
	expect(forced.get('waiting receives')).toMatchObject({ status: 'warn' })
	expect(forced.get('waiting receives')?.detail).toMatch(/^only \d+ receives can wait at once on this host/)
	expect(forced.get('waiting receives')?.fix).toContain('surface D has no such limit')
	expect(checkKretprobes(false, 16)).toMatchObject({ fix: 'a kernel that takes surface A, B or D' })
	expect(checkKretprobes(false, 16).detail).toContain('only 16 receives')
})
