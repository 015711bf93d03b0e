import { fetchFile, watchPath } from './fetch-file.ts'
import { fetchGit } from './fetch-git.ts'
import { fetchHttp } from './fetch-http.ts'
import type { Fetched, Fetcher, ImportRequest } from './import-source.ts'

export { systemText } from './fetch-file.ts'

/** Oftener than this nothing is polled, whatever is asked for. */
const fastestPollMs = 100

/** Reads modules from disk, over HTTP and from git repositories. */
export function createFetcher(): Fetcher {
	return { fetch: fetchModule, watch }
}

export async function fetchModule(
	request: ImportRequest,
	storagePath: string,
	ending?: AbortSignal,
): Promise<Fetched> {
	switch (request.kind) {
		case 'import.string':
			return { files: [{ name: 'import.string', text: request.content }], modulePath: '' }
		case 'import.file':
			return fetchFile(request.filename)
		case 'import.http':
			return fetchHttp(request, ending)
		case 'import.git':
			return fetchGit(request, storagePath, ending)
	}
}

function watch(request: ImportRequest, changed: () => void): { close(): void } {
	if (request.kind === 'import.string') return { close() {} }
	if (request.kind === 'import.file' && request.detector !== 'poll') {
		try {
			return watchPath(request.filename, changed)
		} catch {
			// What cannot be watched (a file system without notifications) is polled.
		}
	}
	if (request.pollMs <= 0) return { close() {} }
	const timer = setInterval(changed, Math.max(request.pollMs, fastestPollMs))
	timer.unref()
	return { close: () => clearInterval(timer) }
}
