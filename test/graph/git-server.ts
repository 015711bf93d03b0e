import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join, normalize } from 'node:path'
import { spawn } from '../helpers/spawn.ts'
import { serve, type TestServer } from './support.ts'

export interface GitServer extends TestServer {
	/** Authorization headers as they came, undefined for none. */
	readonly seen: (string | undefined)[]
}

/** git's own HTTP backend over the repositories of `root`; with `login` (user:password) only for who knows it. */
export async function serveGit(root: string, login?: string): Promise<GitServer> {
	const seen: (string | undefined)[] = []
	const server = await serve((request, response) => {
		const { authorization } = request.headers
		seen.push(authorization)
		if (login !== undefined && authorization !== `Basic ${Buffer.from(login).toString('base64')}`) {
			response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
			return
		}
		backend(root, request, response)
	})
	return { ...server, seen }
}

function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
	const url = new URL(request.url ?? '/', 'http://x')
	const child = spawn('git', ['http-backend'], {
		env: {
			PATH: process.env['PATH'],
			GIT_PROJECT_ROOT: root,
			GIT_HTTP_EXPORT_ALL: '1',
			GIT_CONFIG_COUNT: '1',
			GIT_CONFIG_KEY_0: 'safe.directory',
			GIT_CONFIG_VALUE_0: '*',
			PATH_INFO: url.pathname,
			QUERY_STRING: url.search.slice(1),
			REQUEST_METHOD: request.method,
			CONTENT_TYPE: request.headers['content-type'] ?? '',
			HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
			GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
			REMOTE_ADDR: '127.0.0.1',
		},
	})
	request.pipe(child.stdin)
	child.stdin.on('error', () => {})
	const parts: Buffer[] = []
	child.stdout.on('data', (part: Buffer) => parts.push(part))
	child.on('close', () => {
		const all = Buffer.concat(parts)
		const end = all.indexOf('\r\n\r\n')
		let status = 200
		for (const line of all.subarray(0, end).toString().split('\r\n')) {
			const [name, value] = line.split(': ', 2) as [string, string]
			if (name === 'Status') status = Number.parseInt(value, 10)
			else response.setHeader(name, value)
		}
		response.writeHead(status).end(all.subarray(end + 4))
	})
}

/** Only files, as any web server has them: git's "dumb" protocol. */
export const serveFiles = (root: string): Promise<TestServer> =>
	serve((request, response) => {
		const path = normalize(new URL(request.url ?? '/', 'http://x').pathname)
		readFile(join(root, path)).then(
			(bytes) => response.end(bytes),
			() => response.writeHead(404).end(),
		)
	})
