import { parsed } from '../../eval/types.ts'

const units: Readonly<Record<string, number>> = {
	B: 1,
	KiB: 1024,
	MiB: 1024 ** 2,
	GiB: 1024 ** 3,
	kB: 1e3,
	KB: 1e3,
	MB: 1e6,
	GB: 1e9,
}

/** A size as Alloy writes it (`8MiB`, `512KiB`), in bytes. */
export const byteSize = parsed<number>(
	'size',
	0,
	(source) => {
		const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(source.trim())
		const unit = match?.[2] === '' ? 1 : units[match?.[2] ?? '?']
		if (match === null || unit === undefined) throw new Error(`"${source}" is not a size such as "8MiB"`)
		return Math.round(Number(match[1]) * unit)
	},
	(bytes) => `${bytes}B`,
)
