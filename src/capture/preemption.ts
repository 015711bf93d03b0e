import { readFileSync } from 'node:fs'
import type { BpfObject } from 'bpf-native-loader'

const BTF = '/sys/kernel/btf/vmlinux'
/** Names in the kernel's description of its types: tracepoints have a lock of this kind instead of disabled preemption. */
const SIGNS = ['class_srcu_fast_notrace_t', 'tracepoint_srcu_srcu_data']
/** Programs that look for what another program on the same hook was kept from seeing (bpf/probes/sock.bpf.c). */
const AFTER = 'vor_after_'

/** Whether programs of tracepoints can be preempted on this kernel (Linux 7.0). Some ten megabytes are searched, 5 ms. */
export function isPreemptible(path = BTF): boolean {
	let types: Buffer
	try {
		types = readFileSync(path)
	} catch {
		// Kernels that hide it are older than the question.
		return false
	}
	return SIGNS.every((sign) => types.includes(`\0${sign}\0`, 0, 'latin1'))
}

export function isAfter(program: string): boolean {
	return program.startsWith(AFTER)
}

/** Before load: programs keep their CPU, and miss nothing unnoticed, only where that is a question. */
export function preparePreemption(object: BpfObject, preemptible: boolean): void {
	object.setGlobal('vor_preemptible', preemptible)
	if (preemptible) return
	for (const { name } of object.programs) if (isAfter(name)) object.setAutoload(name, false)
}
