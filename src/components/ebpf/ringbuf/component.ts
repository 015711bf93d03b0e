import { Subscription } from 'rxjs'
import { createCapture } from '../../../capture/capture.ts'
import type { ArgsOf } from '../../../eval/args.ts'
import { defineExports } from '../../../eval/args.ts'
import { fanOut } from '../../../flow/fan-out.ts'
import type { Component, ComponentDefinition, ComponentOptions } from '../../../graph/component.ts'
import { compileSelection } from '../../../process/selection.ts'
import { createProcessTable } from '../../../process/table.ts'
import { VorError } from '../../../util/errors.ts'
import { present } from '../../common/capsules.ts'
import { selectionOf } from '../../common/discovery-args.ts'
import { createOutlet } from '../../common/outlet.ts'
import type { Services, SourceView } from '../../services.ts'
import { args as schema } from './args.ts'
import { captureFamilies } from './families.ts'
import { metadata } from './metadata.ts'
import { createReplayedSelection } from './replayed-selection.ts'

export type RingbufArgs = ArgsOf<typeof schema>

/** How often skipped hook calls are looked for: a handful of system calls each time. */
const missesEveryNs = 10e9

export const defineRingbuf = (services: Services): ComponentDefinition<RingbufArgs, object> => ({
	name: 'ebpf.ringbuf',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({}),
	metadata,
	build: (options, args) =>
		services.source === undefined ? buildLive(services, options, args) : buildReplay(services, options, args),
})

function wiring(args: RingbufArgs) {
	return fanOut(present(args.output.records).map((port) => port.records))
}

function buildLive(
	services: Services,
	options: ComponentOptions<object>,
	first: RingbufArgs,
): Component<RingbufArgs> {
	let args = first
	const outlet = createOutlet('records', options.live)
	const processes = createProcessTable({ rules: compileSelection(selectionOf(args.discovery)).rules })
	const capture = createCapture({
		meter: options.accounting.meter(options.path, options.id),
		processes,
		ringBytes: args.ring_size,
		surface: args.surface,
		storage: args.storage,
		unixSockets: args.unix_sockets,
		notice: (level, message) => options.logger[level](message),
	})
	const subscription = new Subscription()
	let attached = false
	const view: SourceView = {
		attached: () => attached,
		facts: () => processes.facts(),
		announce: () => processes.announceAll(),
		noteOtlpExport: (pid, startNs, signal) => processes.noteOtlpExport(pid, startNs, signal),
		families: (labels) => captureFamilies(capture, processes.counters, labels),
		ended: new Promise(() => {}),
	}
	outlet.wire(wiring(args))

	let missesDueNs = 0
	let misses = 0
	/** Bytes of a skipped hook call are missing from their connection: whoever trusts the numbers must be told. */
	function watchMisses(timeNs: number): void {
		if (timeNs < missesDueNs) return
		missesDueNs = timeNs + missesEveryNs
		let sum = 0
		for (const program of capture.programs()) sum += program.recursionMisses
		if (sum > misses) {
			options.logger.warn(
				'the kernel skipped hook calls: requests of these moments may be missing or incomplete',
				{
					skipped: sum - misses,
					see: 'vor_program_recursion_misses_total',
				},
			)
		}
		misses = sum
	}

	return {
		async start() {
			subscription.add(
				capture.batches.subscribe((batch) => {
					services.tap?.(batch)
					watchMisses(batch.timeNs)
					outlet.next(batch)
				}),
			)
			services.sources.add(options, view)
			const before = performance.now()
			try {
				await capture.start()
			} catch (reason) {
				services.startFailures.push(VorError.from(reason))
				throw reason
			}
			attached = true
			options.logger.info('attached', {
				surface: capture.surface,
				storage: capture.storage,
				programs: capture.programs().length,
				missing_hooks: capture.missingHooks.join(',') || undefined,
				took: `${(performance.now() - before).toFixed(0)}ms`,
			})
		},
		update(next) {
			const previous = args
			if (
				next.ring_size !== previous.ring_size ||
				next.surface !== previous.surface ||
				next.storage !== previous.storage ||
				next.unix_sockets !== previous.unix_sockets
			)
				return 'restart'
			args = next
			outlet.wire(wiring(next))
			if (JSON.stringify(next.discovery) !== JSON.stringify(previous.discovery))
				processes.setRules(compileSelection(selectionOf(next.discovery)).rules)
			return undefined
		},
		async stop() {
			attached = false
			// Drains what is left, which still goes downstream.
			await capture.stop()
			subscription.unsubscribe()
			services.sources.remove(options, view)
		},
		debugInfo: () => ({
			surface: capture.surface,
			storage: capture.storage,
			missing_hooks: capture.missingHooks,
			kernel: capture.counters(),
			statistics: capture.statistics,
		}),
	}
}

/** The same component over a recording: no kernel, no root, time from the file. */
function buildReplay(
	services: Services,
	options: ComponentOptions<object>,
	first: RingbufArgs,
): Component<RingbufArgs> {
	const meter = options.accounting.meter(options.path, options.id)
	const outlet = createOutlet('records', options.live)
	const subscription = new Subscription()
	let select = createReplayedSelection(selectionOf(first.discovery))
	let end!: () => void
	let fail!: (reason: unknown) => void
	const ended = new Promise<void>((resolve, reject) => {
		end = resolve
		fail = reject
	})
	// The command that replays waits for it; nobody else must.
	ended.catch(() => {})
	const view: SourceView = {
		attached: () => true,
		facts: () => [],
		announce: () => {},
		noteOtlpExport: () => {},
		families: () => [],
		ended,
	}
	outlet.wire(wiring(first))
	services.sources.add(options, view)
	return {
		async start() {
			const batches = services.source?.()
			subscription.add(
				batches?.subscribe({
					next(batch) {
						meter.received(batch.records)
						meter.sent(batch.records)
						outlet.next(select(batch))
					},
					error: fail,
					complete: end,
				}),
			)
		},
		update(next) {
			outlet.wire(wiring(next))
			select = createReplayedSelection(selectionOf(next.discovery))
			return undefined
		},
		async stop() {
			subscription.unsubscribe()
			services.sources.remove(options, view)
		},
	}
}
