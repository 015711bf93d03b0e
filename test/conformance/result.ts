import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** What one kind of fixture says. A difference is text for a reader: which case, what was wanted, what came. */
export interface ConformanceResult {
	readonly kind: string
	readonly agreed: number
	readonly total: number
	/** Cases that use something Vör does not have yet; they count neither way. */
	readonly notYet: number
	readonly differences: readonly string[]
}

/** Alloy's own files are read in place, beside the repository; only what is marked ours is copied. */
export const sharedAlloy = fileURLToPath(new URL('../../../shared/alloy/', import.meta.url))
export const sharedAlloyPresent = existsSync(sharedAlloy)
const ownFixtures = fileURLToPath(new URL('../fixtures/alloy/', import.meta.url))

export function sharedText(name: string): string {
	return readFileSync(sharedAlloy + name, 'utf8')
}

export function sharedJson<T>(name: string): T {
	return JSON.parse(sharedText(name)) as T
}

export function sharedLines<T>(name: string): T[] {
	return parseLines(sharedText(name))
}

/** A fixture of our own, kept compressed in the repository. */
export function ownLines<T>(name: string): T[] {
	return parseLines(gunzipSync(readFileSync(`${ownFixtures}${name}.gz`)).toString('utf8'))
}

/** The files of a folder (of those beside the repository), sorted. */
export function sharedFiles(folder: string, suffix: string): { name: string; text: string }[] {
	return readdirSync(sharedAlloy + folder)
		.filter((name) => name.endsWith(suffix))
		.sort()
		.map((name) => ({ name: `${folder}/${name}`, text: sharedText(`${folder}/${name}`) }))
}

/** Compares case by case; `check` gives undefined for agreement, else the difference. */
export function compare<T>(
	kind: string,
	cases: readonly T[],
	check: (one: T, index: number) => string | undefined,
): ConformanceResult {
	const differences: string[] = []
	cases.forEach((one, index) => {
		const difference = check(one, index)
		if (difference !== undefined) differences.push(difference)
	})
	return { kind, agreed: cases.length - differences.length, total: cases.length, notYet: 0, differences }
}

export function differ(name: string, wanted: unknown, got: unknown): string | undefined {
	const left = JSON.stringify(wanted)
	const right = JSON.stringify(got)
	return left === right ? undefined : `${name}\n  wanted ${left}\n  got    ${right}`
}

function parseLines<T>(text: string): T[] {
	return text
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as T)
}
