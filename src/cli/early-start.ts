import { readFileSync, statSync } from 'node:fs'
import { beginEarlyLoad, dropEarlyLoad } from '../capture/early-load.ts'
import { beginEarlyScan, dropEarlyScan } from '../process/worker-client.ts'

const WATCHES = /\b(?:ebpf\.ringbuf|beyla\.ebpf)\b/
/** Arguments that decide how the kernel's programs are loaded. */
const KNOBS = /\b(?:ring_size|surface|storage|unix_sockets)\s*=/
/** A larger one is no file that a person wrote. */
const MOST_BYTES = 1 << 20

/**
 * For `vor run WORDS`: begins what takes long and needs no configuration, on other threads, before this one has the modules
 * that read it. Only a guess by the file's text: what it was wrong about is done again, or dropped.
 */
export function startEarly(words: readonly string[]): void {
	if (!wantsEarlyStart(words)) return
	void beginEarlyLoad()
	beginEarlyScan()
}

export const wantsEarlyStart = (words: readonly string[]): boolean => words.some(isLikelyPipeline)

/** Of what nobody took: the configuration was refused, or wants none of it. Safe twice. */
export function dropEarlyStart(): void {
	dropEarlyLoad()
	void dropEarlyScan()
}

function isLikelyPipeline(path: string): boolean {
	if (path.startsWith('-')) return false
	try {
		const stat = statSync(path)
		if (!stat.isFile() || stat.size > MOST_BYTES) return false
		const text = readFileSync(path, 'utf8')
		return WATCHES.test(text) && !KNOBS.test(text)
	} catch {
		// Whoever reads it in earnest says why it cannot be read.
		return false
	}
}
