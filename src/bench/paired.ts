/** Something that is attached in some rounds. */
export interface Side {
	attach(): Promise<unknown>
	detach(): Promise<unknown>
}

export interface Paired {
	/** Of the rounds with nothing attached. */
	readonly bare: readonly number[]
	/** By side: its rounds less the bare one of the same pair. */
	readonly extra: readonly (readonly number[])[]
}

/**
 * Rounds of the same load with nothing and with each side attached in turn. The differences within a pair are what counts:
 * the machine's drift and its other work hit all alike. Who goes first changes from pair to pair, nothing included.
 */
export async function pairedRounds(
	count: number,
	sides: readonly Side[],
	round: (side: number | undefined) => Promise<number>,
): Promise<Paired> {
	const bare: number[] = []
	const extra: number[][] = sides.map(() => [])
	const order: (number | undefined)[] = [undefined, ...sides.keys()]
	for (let pair = 0; pair < count; pair++) {
		const values: number[] = []
		let without = 0
		for (const index of pair % 2 === 0 ? order : [...order].reverse()) {
			const side = index === undefined ? undefined : (sides[index] as Side)
			await side?.attach()
			try {
				const value = await round(index)
				if (index === undefined) without = value
				else values[index] = value
			} finally {
				await side?.detach()
			}
		}
		bare.push(without)
		for (const [index, value] of values.entries()) extra[index]?.push(value - without)
	}
	return { bare, extra }
}
