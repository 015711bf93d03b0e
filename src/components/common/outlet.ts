import type { Observer } from 'rxjs'
import type { LiveBatches, LiveChannel, LiveKind } from '../../flow/live.ts'

/** The output of a stage whose wiring may change while it runs. `next` goes to whoever is wired at that moment. */
export interface Outlet<Batch> extends Observer<Batch> {
	wire(target: Observer<Batch>): void
}

/** What passes is shown in `live`. */
export function createOutlet<Kind extends LiveKind>(
	kind: Kind,
	live: LiveChannel,
): Outlet<LiveBatches[Kind]> {
	let target: Observer<LiveBatches[Kind]> | undefined
	live.open()
	return {
		wire(observer) {
			target = observer
		},
		next(batch) {
			live.listener?.(kind, batch)
			target?.next(batch)
		},
		error: (reason) => target?.error(reason),
		complete: () => target?.complete(),
	}
}
