/** `80,443,8000-8999` as sorted pairs of inclusive bounds. */
export interface PortSet {
	readonly text: string
	has(port: number): boolean
}

/** The set, or what is wrong with the text. */
export function parsePorts(text: string): PortSet | { readonly error: string } {
	const ranges: [number, number][] = []
	for (const part of text.split(',')) {
		const match = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(part)
		if (match === null) return { error: `"${part.trim()}" is neither a port nor a range of ports` }
		const low = Number(match[1])
		const high = match[2] === undefined ? low : Number(match[2])
		if (low > 65535 || high > 65535) return { error: `"${part.trim()}" is above 65535` }
		if (high < low) return { error: `the range "${part.trim()}" is upside down` }
		ranges.push([low, high])
	}
	return { text, has: (port) => ranges.some(([low, high]) => port >= low && port <= high) }
}
