/** True for ::ffff:a.b.c.d in 16 bytes. */
export function isV4Mapped(bytes: Uint8Array, at: number): boolean {
	for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false
	return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff
}

/** 16 bytes in network order as text: dotted for v4-mapped, else RFC 5952. */
export function formatAddress(bytes: Uint8Array, at: number): string {
	if (isV4Mapped(bytes, at)) return `${bytes[at + 12]}.${bytes[at + 13]}.${bytes[at + 14]}.${bytes[at + 15]}`
	const groups: number[] = []
	for (let i = 0; i < 16; i += 2) groups.push((bytes[at + i]! << 8) | bytes[at + i + 1]!)
	const [from, length] = longestZeroRun(groups)
	if (length < 2) return groups.map(hex).join(':')
	return `${groups.slice(0, from).map(hex).join(':')}::${groups
		.slice(from + length)
		.map(hex)
		.join(':')}`
}

/** 127.0.0.0/8 and ::1, in the form `formatAddress` gives. */
export function isLoopback(address: string): boolean {
	return address.startsWith('127.') || address === '::1'
}

function longestZeroRun(groups: readonly number[]): [from: number, length: number] {
	let from = 0
	let length = 0
	for (let i = 0; i < groups.length; i++) {
		let end = i
		while (end < groups.length && groups[end] === 0) end++
		if (end - i > length) [from, length] = [i, end - i]
		if (end > i) i = end
	}
	return [from, length]
}

function hex(group: number): string {
	return group.toString(16)
}
