import type { Observer } from 'rxjs'

/** The output of a stage whose wiring may change while it runs. `next` goes to whoever is wired at that moment. */
export interface Outlet<Batch> extends Observer<Batch> {
	wire(target: Observer<Batch>): void
}

export function createOutlet<Batch>(): Outlet<Batch> {
	let target: Observer<Batch> | undefined
	return {
		wire(observer) {
			target = observer
		},
		next: (batch) => target?.next(batch),
		error: (reason) => target?.error(reason),
		complete: () => target?.complete(),
	}
}
