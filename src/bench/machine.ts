import { readFileSync } from 'node:fs'
import { arch, cpus, loadavg, release, totalmem } from 'node:os'
import type { Machine } from './result.ts'

/** Figures mean little without it. */
export function readMachine(): Machine {
	const processors = cpus()
	return {
		kernel: release(),
		arch: arch(),
		cpu: processors[0]?.model.trim() || 'unknown',
		cpus: processors.length,
		virtual: isVirtual(),
		memoryBytes: totalmem(),
		node: process.version,
		loadAverage: loadavg()[0] ?? 0,
	}
}

function isVirtual(): boolean {
	try {
		return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
	} catch {
		return false
	}
}
