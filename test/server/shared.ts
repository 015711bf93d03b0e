import { existsSync, readFileSync } from 'node:fs'
import type { ServerSources } from '../../src/server/routes.ts'

/** A fixture beside the repository, read in place; undefined (and said loudly) where the checkout stands alone. */
export function readSharedJson<T>(path: string): T | undefined {
	const file = new URL(`../../../shared/${path}`, import.meta.url)
	if (!existsSync(file)) {
		console.warn(`SKIPPED: ../shared/${path} is not there; the tests that compare with it cannot run`)
		return undefined
	}
	return JSON.parse(readFileSync(file, 'utf8')) as T
}

/** What a server with nothing behind it shows. */
export const emptySources: ServerSources = {
	metrics: () => 'x 1\n',
	ready: () => true,
	components: () => [],
	component: () => undefined,
	reload: () => Promise.resolve(undefined),
	top: () => ({ timeMs: 1, windowSeconds: 0, services: [], spans: 0, dropped: [] }),
}
