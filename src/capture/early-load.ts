import { limitHeapArenas } from 'bpf-native-loader'
import { type KernelObject, type LoadOptions, loadKernelObject } from './kernel-object.ts'
import { DEFAULT_RING_BYTES } from './options.ts'

/**
 * The kernel takes a third of a second to verify the programs, on a pool thread: of all that a start needs the longest. So
 * it begins before the modules of the pipeline are there and the configuration was read, with the knobs that nearly every
 * configuration leaves alone. Nothing is attached by it; where the knobs turn out to be others, it was in vain.
 */
interface Early {
	readonly knobs: string
	readonly kernel: Promise<KernelObject>
	readonly notices: readonly (readonly [level: 'info' | 'warn', message: string])[]
}

/** At most one in this process: taken by the first capture that starts, or dropped. */
let early: Early | undefined

/** What the loaded object depends on. */
function knobsOf(options: LoadOptions): string {
	const { ringBytes = DEFAULT_RING_BYTES, surface = 'auto', storage = 'auto', unixSockets = true } = options
	return JSON.stringify([ringBytes, surface, storage, unixSockets, options.objectPath, options.selfPid])
}

/** The load that is under way; what it gives belongs to whoever takes it. */
export function beginEarlyLoad(): Promise<KernelObject> {
	if (early !== undefined) return early.kernel
	// Before any thread allocates: what loading takes on a pool thread (the kernel's types) is needed once.
	limitHeapArenas(1)
	const notices: (readonly ['info' | 'warn', string])[] = []
	const options: LoadOptions = {
		ringBytes: DEFAULT_RING_BYTES,
		notice: (level, message) => void notices.push([level, message]),
	}
	const kernel = loadKernelObject(options)
	// Whoever takes it is told.
	kernel.catch(() => {})
	early = { knobs: knobsOf(options), kernel, notices }
	return kernel
}

/** The early load where it was made with these options; else one that begins now. */
export async function loadEarlyOrNow(options: LoadOptions): Promise<KernelObject> {
	const taken = early
	if (taken === undefined || taken.knobs !== knobsOf(options)) return loadKernelObject(options)
	early = undefined
	try {
		return await taken.kernel
	} finally {
		for (const [level, message] of taken.notices) options.notice?.(level, message)
	}
}

/** Nobody took it: its memory in the kernel goes as soon as it is loaded. Safe twice, and where there was none. */
export function dropEarlyLoad(): void {
	early?.kernel.then(
		(kernel) => kernel.object.close(),
		() => {},
	)
	early = undefined
}
