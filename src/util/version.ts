import { readFileSync } from 'node:fs'

let cached: string | undefined

/** Version of this package; the same file is found from `src/` and from `dist/`. */
export function version(): string {
	if (cached === undefined) {
		const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
		const parsed = JSON.parse(text) as { version?: unknown }
		cached = typeof parsed.version === 'string' ? parsed.version : '0.0.0'
	}
	return cached
}
