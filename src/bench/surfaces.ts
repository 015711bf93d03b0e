import { SURFACES, type SurfaceName } from '../capture/surfaces.ts'
import { VorError } from '../util/errors.ts'
import { type KernelSide, openKernelSide } from './kernel-side.ts'
import type { SurfaceState } from './result.ts'
import { letterOf } from './settings.ts'

export interface Surfaces {
	/** Loaded, not attached; the first is measured in every case. */
	readonly open: readonly KernelSide[]
	readonly states: readonly SurfaceState[]
	close(): Promise<void>
}

export const mainSurface = ({ open }: Surfaces): KernelSide => open[0] as KernelSide

/** Of the named ones every single one must load; of all (none named) those that do. */
export async function openSurfaces(named: readonly SurfaceName[], signal: AbortSignal): Promise<Surfaces> {
	const open: KernelSide[] = []
	const states: SurfaceState[] = []
	const close = async (): Promise<void> => {
		await Promise.all(open.map((side) => side.close()))
	}
	let firstRefusal: unknown
	for (const surface of named.length > 0 ? named : SURFACES) {
		const letter = letterOf(surface)
		try {
			// Where the kernel verifies slowly, each takes its seconds.
			signal.throwIfAborted()
			const side = await openKernelSide(surface)
			states.push({ surface, letter, storage: side.storage, refusal: '', main: open.length === 0 })
			open.push(side)
		} catch (reason) {
			if (named.length > 0 || !isRefusal(reason)) {
				await close()
				throw reason
			}
			firstRefusal ??= reason
			states.push({ surface, letter, storage: '', refusal: refusalOf(reason), main: false })
		}
	}
	if (open.length === 0) throw firstRefusal
	// Vör's order has chosen the first; a reader looks for letters.
	const [main, ...others] = open
	others.sort((a, b) => byLetter(letterOf(a.surface), letterOf(b.surface)))
	states.sort((a, b) => byLetter(a.letter, b.letter))
	return { open: [main as KernelSide, ...others], states, close }
}

const byLetter = (a: string, b: string): number => (a < b ? -1 : 1)

const isRefusal = (reason: unknown): reason is VorError =>
	reason instanceof VorError && ['E_KERNEL', 'E_BPF_LOAD'].includes(reason.code)

/** Of several forms of a surface the first one's: they lack the same. */
const refusalOf = (reason: VorError): string =>
	reason.cause instanceof VorError ? reason.cause.message : reason.message
