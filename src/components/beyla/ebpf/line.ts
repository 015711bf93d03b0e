import type { ArgsOf } from '../../../eval/args.ts'
import type { ComponentDefinition, ComponentOptions } from '../../../graph/component.ts'
import type { MetricBatch } from '../../../model/batch.ts'
import { defineDecode } from '../../ebpf/decode/component.ts'
import { defineRingbuf } from '../../ebpf/ringbuf/component.ts'
import type { Services } from '../../services.ts'
import type { BeylaArgs } from './args.ts'
import { createSettings, discoveryOf } from './discovery.ts'
import { buildStage, defaultsOf, stageRef } from './stage.ts'
import { createTail, type Tail } from './tail.ts'

/**
 * The stages of one `beyla.ebpf` block. The first two hold the probes and stay for the block's whole life; what makes spans
 * and metrics of their output (the tail) may be built anew behind them.
 */
export interface Line {
	start(): Promise<void>
	update(args: BeylaArgs): void
	stop(): Promise<void>
	debugInfo(): unknown
	/** RED metrics of this block alone, for its own page. */
	collect(): MetricBatch
}

export function createLine(services: Services, parent: ComponentOptions<never>, first: BeylaArgs): Line {
	const ringbufOf = defineRingbuf(services) as never as ComponentDefinition<RingbufArgs, never>
	const decodeOf = defineDecode() as never as ComponentDefinition<DecodeArgs, never>

	const decodeArgs = (tail: Tail): DecodeArgs => ({
		...defaultsOf(decodeOf),
		output: { exchanges: [tail.input as never] },
	})
	const ringbufArgs = (args: BeylaArgs): RingbufArgs => ({
		...defaultsOf(ringbufOf),
		discovery: discoveryOf(args) as RingbufArgs['discovery'],
		output: { records: [decode.input as never] },
	})

	// Downstream first: each stage is handed the port of the next.
	let tail = createTail(services, parent, first)
	const decode = buildStage(parent, decodeOf, decodeArgs(tail))
	const ringbuf = buildStage(parent, ringbufOf, ringbufArgs(first))
	let current = first
	let stopping = Promise.resolve()

	return {
		start: async () => ringbuf.component.start?.(),
		collect: () => tail.collect(),
		update(next) {
			if (shapesTail(current, next)) {
				const old = tail
				tail = createTail(services, parent, next)
				decode.component.update(decodeArgs(tail))
				// Nothing reaches it any more: it hands on what it holds.
				stopping = stopping.then(() => old.stop())
			} else tail.update(next)
			ringbuf.component.update(ringbufArgs(next))
			current = next
		},
		async stop() {
			await ringbuf.component.stop()
			await decode.component.stop()
			await stopping
			await tail.stop()
			// The graph takes the block itself out of the books, and knows nothing of what stands inside.
			for (const name of STAGES) {
				const { path, id } = stageRef(parent, name)
				parent.accounting.remove(path, id)
			}
		},
		debugInfo: () => ringbuf.component.debugInfo?.(),
	}
}

const STAGES = ['ebpf.ringbuf', 'ebpf.decode', 'ebpf.correlate', 'ebpf.propagate', 'ebpf.aggregate'] as const

/** Whether a change needs new stages behind the probes; samplers, selection and outputs change in place. */
function shapesTail(before: BeylaArgs, after: BeylaArgs): boolean {
	const shape = ({ metrics, routes, attributes, discovery }: BeylaArgs) =>
		JSON.stringify([metrics, routes, attributes, discovery.exclude_otel_instrumented_services])
	if (shape(before) !== shape(after)) return true
	const particular = createSettings(before).particular || createSettings(after).particular
	return particular && JSON.stringify(before.discovery) !== JSON.stringify(after.discovery)
}

type RingbufArgs = ArgsOf<ReturnType<typeof defineRingbuf>['args']>
type DecodeArgs = ArgsOf<ReturnType<typeof defineDecode>['args']>
