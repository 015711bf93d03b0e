import type { SurfaceName } from '../capture/surfaces.ts'
import type { LoadMaker } from './load.ts'
import type { Case, Settings } from './settings.ts'
import type { Summary } from './statistics.ts'

/** What `vor bench --json` prints. Times are nanoseconds, sizes bytes; `format` changes when a field's meaning does. */
export interface BenchResult {
	readonly format: 'vor-bench/1'
	readonly vor: string
	readonly date: string
	readonly seconds: number
	readonly command: string
	readonly settings: Settings
	readonly machine: Machine
	readonly loadMaker: LoadMaker
	readonly surfaces: readonly SurfaceState[]
	/** What the reader must know: shrunk cases, another Vör, a busy machine. */
	readonly notes: readonly string[]
	readonly cases: readonly CaseResult[]
}

export interface Machine {
	readonly kernel: string
	readonly arch: string
	readonly cpu: string
	readonly cpus: number
	readonly virtual: boolean
	readonly memoryBytes: number
	readonly node: string
	/** One minute's, before the first round. */
	readonly loadAverage: number
}

export interface SurfaceState {
	readonly surface: SurfaceName
	readonly letter: string
	/** Empty where it does not load. */
	readonly storage: string
	/** What the kernel said; empty where it loads. */
	readonly refusal: string
	/** All cases are measured with it; the others stand beside it in the basic case. */
	readonly main: boolean
}

export interface CaseResult extends Case {
	readonly kernel: KernelResult | undefined
	readonly stages: StageResult | undefined
	readonly process: ProcessResult | undefined
}

/** CPU time of client and server process for one request. */
export interface KernelResult {
	readonly bare: Summary
	readonly requests: number
	readonly requestsPerSecond: number
	readonly sides: readonly SideResult[]
}

export interface SideResult {
	readonly surface: SurfaceName
	readonly traced: 'client and server' | 'server'
	/** What a request takes more with it attached: of the paired differences. */
	readonly extra: Summary
	/** The interval of `extra` leaves out 0; else nothing was shown, and reports say so in place of the median. */
	readonly toldFromZero: boolean
	/** Exchanges that came out of the ring for one request; one for each traced side. */
	readonly seenPerRequest: number
	readonly programs: readonly ProgramResult[]
	/** Why there are none; empty where there are. */
	readonly programsUntold: string
}

/** From the kernel's own statistics, in rounds of their own: the clock they need costs too. */
export interface ProgramResult {
	readonly program: string
	readonly callsPerRequest: number
	readonly nsPerCall: number
	readonly nsPerRequest: number
	/** What the verifier walked when it was loaded; 0 where the kernel does not keep the count (before 5.16). */
	readonly verifiedInstructions: number
}

export const STAGES = ['drain', 'decode', 'correlate', 'propagate', 'aggregate', 'encode'] as const
export type StageName = (typeof STAGES)[number]

/** CPU time of user space for one request, client and server side together. */
export interface StageResult {
	readonly requests: number
	readonly requestsPerSecond: number
	readonly spansPerRequest: number
	readonly ns: Readonly<Record<StageName, number>>
	readonly dropped: Readonly<Record<string, number>>
}

/** A whole `vor run` with an OTLP exporter, as the kernel sees that process. */
export interface ProcessResult {
	readonly requests: number
	readonly requestsPerSecond: number
	readonly rssAtRest: number
	readonly rss: number
	/** The highest since its start. */
	readonly rssPeak: number
	/** Beyond what it takes at rest. */
	readonly cpuNsPerRequest: number
	/** Shares of one CPU. */
	readonly cpuAtRest: number
	readonly cpuLoaded: number
	/** Server requests by its own RED metrics; equals `requests` when none was missed. */
	readonly countedRequests: number
	readonly exportedSpans: number
	/** By stage and reason, without what was left out on purpose. */
	readonly dropped: Readonly<Record<string, number>>
}
