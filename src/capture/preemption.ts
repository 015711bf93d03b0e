import { closeSync, openSync, readSync } from 'node:fs'
import type { BpfObject } from 'bpf-native-loader'

const BTF = '/sys/kernel/btf/vmlinux'
/** Names in the kernel's description of its types: tracepoints have a lock of this kind instead of disabled preemption. */
const SIGNS = ['tracepoint_srcu_srcu_data', 'class_srcu_fast_notrace_t']
/** Programs that look for what another program on the same hook was kept from seeing (bpf/probes/sock.bpf.c). */
const AFTER = 'vor_after_'

/** Whether programs of tracepoints can be preempted on this kernel (Linux 7.0). Some megabytes of names are searched. */
export function isPreemptible(path = BTF): boolean {
	let names: Buffer
	try {
		names = readNames(path)
	} catch {
		// Kernels that hide it are older than the question.
		return false
	}
	return SIGNS.every((sign) => names.includes(`\0${sign}\0`, 0, 'latin1'))
}

/** struct btf_header: where the names begin behind it, and their length. */
const HEADER = { bytes: 24, ownLengthAt: 4, namesAt: 16, lengthAt: 20 } as const

function readNames(path: string): Buffer {
	const file = openSync(path, 'r')
	try {
		const header = Buffer.alloc(HEADER.bytes)
		readSync(file, header, 0, HEADER.bytes, 0)
		const length = header.readUInt32LE(HEADER.lengthAt)
		const names = Buffer.allocUnsafe(length)
		const at = header.readUInt32LE(HEADER.ownLengthAt) + header.readUInt32LE(HEADER.namesAt)
		let got = 0
		for (let more = 1; more > 0 && got < length; got += more)
			more = readSync(file, names, got, length - got, at + got)
		return names.subarray(0, got)
	} finally {
		closeSync(file)
	}
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
