import type { Observer } from 'rxjs'
import type { ExchangeBatch, MetricBatch, RawBatch, SpanBatch } from '../model/batch.ts'

/** What a component can pass on, by kind. */
export interface LiveBatches {
	readonly records: RawBatch
	readonly exchanges: ExchangeBatch
	readonly spans: SpanBatch
	readonly metrics: MetricBatch
}

export type LiveKind = keyof LiveBatches

/** Looks at a batch while it passes; keeps nothing of it. */
export type LiveListener = <Kind extends LiveKind>(kind: Kind, batch: LiveBatches[Kind]) => void

/**
 * Where what one component passes on can be looked at while it runs. It costs one comparison a batch while nobody looks. One
 * per component of the graph: who looks stays when the component is built anew.
 */
export class LiveChannel {
	/** Read by the component for every batch; undefined while nobody looks. */
	listener: LiveListener | undefined
	#supported = false
	readonly #watchers = new Map<LiveListener, () => void>()

	/** Whether the component shows anything here. */
	get supported(): boolean {
		return this.#supported
	}

	/** For the component, once: it will show what it passes on. */
	open(): this {
		this.#supported = true
		return this
	}

	/** Until the returned function is called; `ended` is called when the component is gone. */
	watch(listener: LiveListener, ended: () => void): () => void {
		this.#watchers.set(listener, ended)
		this.#arrange()
		return () => {
			this.#watchers.delete(listener)
			this.#arrange()
		}
	}

	close(): void {
		const ends = [...this.#watchers.values()]
		this.#watchers.clear()
		this.#arrange()
		for (const ended of ends) ended()
	}

	#arrange(): void {
		const all = [...this.#watchers.keys()]
		this.listener =
			all.length <= 1
				? all[0]
				: (kind, batch) => {
						for (const each of all) each(kind, batch)
					}
	}
}

/** The observer, with every batch shown before it is passed on. */
export function shown<Kind extends LiveKind>(
	live: LiveChannel,
	kind: Kind,
	target: Observer<LiveBatches[Kind]>,
): Observer<LiveBatches[Kind]> {
	live.open()
	return {
		next(batch) {
			live.listener?.(kind, batch)
			target.next(batch)
		},
		error: (reason: unknown) => target.error(reason),
		complete: () => target.complete(),
	}
}
