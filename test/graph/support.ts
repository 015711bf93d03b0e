import { execFileSync } from 'node:child_process'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'

export async function eventually(check: () => boolean, timeoutMs = 30_000): Promise<void> {
	for (const end = performance.now() + timeoutMs; !check() && performance.now() < end; )
		await new Promise((done) => setTimeout(done, 20))
	expect(check()).toBe(true)
}

export interface TestServer {
	readonly url: string
	close(): Promise<void>
}

export async function serve(
	handle: (request: IncomingMessage, response: ServerResponse) => void,
	make: (handler: typeof handle) => Server = createServer,
): Promise<TestServer> {
	const server = make(handle)
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
	const { port } = server.address() as AddressInfo
	return {
		url: `http://127.0.0.1:${port}`,
		close: () =>
			new Promise((done) => {
				server.close(() => done())
				server.closeAllConnections()
			}),
	}
}

/** git in a folder, with an identity of its own and nobody's configuration. */
export function git(folder: string, ...args: string[]): string {
	return execFileSync('git', ['-C', folder, ...args], {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {
			PATH: process.env['PATH'],
			GIT_CONFIG_GLOBAL: '/dev/null',
			GIT_CONFIG_NOSYSTEM: '1',
			GIT_AUTHOR_NAME: 'a',
			GIT_AUTHOR_EMAIL: 'a@example.com',
			GIT_COMMITTER_NAME: 'a',
			GIT_COMMITTER_EMAIL: 'a@example.com',
		},
	}).trim()
}
