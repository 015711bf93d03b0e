import { afterEach, expect, test } from 'vitest'
import type { Authentication } from '../../src/server/authentication.ts'
import { type HttpServer, startHttpServer } from '../../src/server/http-server.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { emptySources } from './shared.ts'

const servers: HttpServer[] = []
afterEach(async () => {
	for (const server of servers.splice(0)) await server.close()
})

async function ask(auth: Partial<Authentication> | undefined, path: string, login?: string) {
	const server = await startHttpServer({
		listen: { host: '127.0.0.1', port: 0 },
		log: createLog({ write: () => undefined }),
		authentication: () =>
			auth === undefined
				? undefined
				: { username: 'me', password: () => 'p:w', paths: [], matching: true, ...auth },
		sources: emptySources,
	})
	servers.push(server)
	const headers: Record<string, string> =
		login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
	const response = await fetch(server.url + path, { headers })
	return [response.status, response.headers.get('www-authenticate')]
}

const refused = [401, 'Basic realm="Restricted"']
const answered = [200, null]

test.each([
	['nothing is asked for without the block', undefined, '/metrics', undefined, answered],
	['everything is protected with it', {}, '/metrics', undefined, refused],
	['the right name and password', {}, '/metrics', 'me:p:w', answered],
	['a wrong password', {}, '/metrics', 'me:p:x', refused],
	['a wrong name', {}, '/metrics', 'you:p:w', refused],
	['no password', {}, '/metrics', 'me', refused],
	['a path that is named', { paths: ['/-/re'] }, '/-/reload', undefined, refused],
	['a path that is not', { paths: ['/-/re'] }, '/metrics', undefined, answered],
	['a path that is left out', { paths: ['/metrics'], matching: false }, '/metrics', undefined, answered],
	['one that is not left out', { paths: ['/metrics'], matching: false }, '/-/ready', undefined, refused],
	['an escaped way to a protected path', { paths: ['/-/re'] }, '/-/%72eady', undefined, refused],
] as const)('who may ask: %s', async (_what, auth, path, login, wanted) => {
	expect(await ask(auth, path, login)).toEqual(wanted)
})
