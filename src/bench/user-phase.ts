import type { SurfaceName } from '../capture/surfaces.ts'
import type { Load } from './load.ts'

/** What is measured of user space: in this process by stage, and of a whole `vor run`. */
export interface UserPhase {
	readonly load: Load
	/** Requests a second; 0: as many as come. */
	readonly rate: number
	readonly surface: SurfaceName
	/** How long the load goes that is measured. */
	readonly ms: number
	readonly signal: AbortSignal
}

/** How long the load goes before: the compiler needs to know the functions. */
export const WARM_MS = 1000
