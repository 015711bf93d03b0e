import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8's old generation grow by `percent` over what was alive at the last full collection before the next one. V8 would
 * let it double or more: garbage that is held as resident memory. What is alive here is some 20 MB, so the collections that
 * this adds cost little (docs/overhead.md). A flag of the command line, read anew at every collection. Returns an undo.
 */
export function limitHeapGrowth(percent: number): () => void {
	setFlagsFromString(`--heap-growing-percent=${percent}`)
	return () => setFlagsFromString('--heap-growing-percent=0')
}
