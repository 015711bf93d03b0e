import { checkPidNamespace } from '../capture/preflight.ts'
import { VorError } from '../util/errors.ts'
import { version } from '../util/version.ts'
import { kernelPhaseMs, measureKernel, type TracedSide } from './kernel-phase.ts'
import { findLoadMaker, type Load, type LoadMaker, startLoad } from './load.ts'
import { readMachine } from './machine.ts'
import { notesOf } from './notes.ts'
import { measureProcess, processPhaseMs } from './process-phase.ts'
import type { Progress } from './progress.ts'
import type { BenchResult, CaseResult } from './result.ts'
import { openScratch, type Scratch } from './scratch.ts'
import { type Case, casesOf, grouped, type Settings } from './settings.ts'
import { measureStages, stagesPhaseMs } from './stages-phase.ts'
import { mainSurface, openSurfaces, type Surfaces } from './surfaces.ts'

export interface MeasureOptions {
	readonly settings: Settings
	readonly command: string
	readonly signal: AbortSignal
	readonly progress: (totalMs: number) => Progress
}

/** Runs everything, one case after the other; leaves nothing behind, whatever happens. */
export async function measure(options: MeasureOptions): Promise<BenchResult> {
	const { settings, signal } = options
	const namespace = checkPidNamespace()
	if (namespace.status === 'fail')
		throw new VorError('E_PID_NAMESPACE', `the pid namespace ${namespace.detail}`, { fix: namespace.fix })
	const loadMaker = findLoadMaker(settings.loadMaker)
	const machine = readMachine()
	const notes = notesOf(machine, loadMaker)
	const start = performance.now()
	const scratch = openScratch()
	let surfaces: Surfaces | undefined
	let progress: Progress | undefined
	try {
		surfaces = await openSurfaces(settings.surfaces, signal)
		const cases = casesOf(settings)
		const bench = new Bench(options, surfaces, scratch, loadMaker, notes)
		progress = options.progress(cases.reduce((sum, each) => sum + bench.estimate(each), 0))
		for (const note of notes) progress.note(note)
		const results: CaseResult[] = []
		for (const [index, each] of cases.entries()) {
			signal.throwIfAborted()
			results.push(await bench.run(each, `${index + 1} of ${cases.length}: ${each.title}`, progress))
		}
		return {
			format: 'vor-bench/1',
			vor: version(),
			date: new Date().toISOString(),
			seconds: (performance.now() - start) / 1000,
			command: options.command,
			settings,
			machine,
			loadMaker,
			surfaces: surfaces.states,
			notes,
			cases: results,
		}
	} finally {
		progress?.end()
		try {
			await surfaces?.close()
		} finally {
			await scratch.close()
		}
	}
}

class Bench {
	private readonly options: MeasureOptions
	private readonly surfaces: Surfaces
	private readonly scratch: Scratch
	private readonly loadMaker: LoadMaker
	private readonly notes: string[]

	constructor(
		options: MeasureOptions,
		surfaces: Surfaces,
		scratch: Scratch,
		loadMaker: LoadMaker,
		notes: string[],
	) {
		this.options = options
		this.surfaces = surfaces
		this.scratch = scratch
		this.loadMaker = loadMaker
		this.notes = notes
	}

	estimate({ id, kernelRate, userRate }: Case): number {
		const { pairs, roundMs, userMs } = this.options.settings
		const kernel =
			kernelRate === undefined ? 0 : kernelPhaseMs(kernelRate, pairs, roundMs, this.sides(id).length)
		return kernel + (userRate === undefined ? 0 : stagesPhaseMs(userMs) + processPhaseMs(userMs))
	}

	async run(each: Case, title: string, progress: Progress): Promise<CaseResult> {
		const { settings, signal } = this.options
		const { kernelRate, userRate } = each
		const load = await startLoad(this.loadMaker, each, signal)
		try {
			this.tellShrunk(each, load, progress)
			let result: CaseResult = {
				...each,
				connections: load.connections,
				processes: load.servers.length,
				kernel: undefined,
				stages: undefined,
				process: undefined,
			}
			if (kernelRate !== undefined) {
				const { pairs, roundMs } = settings
				const sides = this.sides(each.id)
				progress.begin(`${title}, kernel`, kernelPhaseMs(kernelRate, pairs, roundMs, sides.length))
				const part = (done: number): void => progress.part(done)
				const phase = { load, rate: kernelRate, pairs, roundMs, sides, signal, progress: part }
				result = { ...result, kernel: await measureKernel(phase) }
			}
			if (userRate !== undefined) {
				const ms = settings.userMs
				const { surface } = mainSurface(this.surfaces)
				progress.begin(`${title}, stages`, stagesPhaseMs(ms))
				const stages = await measureStages({ load, rate: userRate, surface, ms, signal })
				progress.begin(`${title}, vor run`, processPhaseMs(ms))
				const phase = { load, rate: userRate, surface, ms, signal, scratch: this.scratch }
				result = { ...result, stages, process: await measureProcess(phase) }
			}
			return result
		} finally {
			await load.stop()
		}
	}

	/** Side by side in the basic case; the others are about their own question. */
	private sides(id: string): TracedSide[] {
		const main = mainSurface(this.surfaces)
		if (id !== 'basic') return [{ kernel: main, traced: 'client and server' }]
		return [
			{ kernel: main, traced: 'client and server' },
			{ kernel: main, traced: 'server' },
			...this.surfaces.open
				.filter((kernel) => kernel !== main)
				.map((kernel): TracedSide => ({ kernel, traced: 'client and server' })),
		]
	}

	private tellShrunk({ title, connections, processes }: Case, load: Load, progress: Progress): void {
		const tell = (text: string): void => {
			this.notes.push(`${title}: ${text}`)
			progress.note(`${title}: ${text}`)
		}
		if (load.connections < connections)
			tell(
				`${grouped(load.connections)} connections, not ${grouped(connections)}: no more open files are allowed (mend with ulimit -n ${connections + 100})`,
			)
		if (load.servers.length < processes)
			tell(
				`${grouped(load.servers.length)} processes, not ${grouped(processes)}: each is a Node.js (mend with a load maker in C)`,
			)
	}
}
