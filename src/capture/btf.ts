import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { VorError } from '../util/errors.ts'

/** Where libbpf looks for the kernel's types, as far as kernels and distributions put them there. */
export const BTF_PLACES: readonly string[] = [
	'/sys/kernel/btf/vmlinux',
	`/boot/vmlinux-${release()}`,
	`/lib/modules/${release()}/build/vmlinux`,
]

/** The kernel's description of its types, undefined where it has none. */
export function findBtf(places = BTF_PLACES): string | undefined {
	return places.find((path) => existsSync(path))
}

/** Without it no program finds the kernel's fields. */
export function missingBtf(): VorError {
	return new VorError(
		'E_KERNEL',
		`this kernel does not describe its types (BTF): ${BTF_PLACES[0]} is missing`,
		{ fix: 'a kernel built with CONFIG_DEBUG_INFO_BTF=y, and sysfs mounted at /sys' },
	)
}
