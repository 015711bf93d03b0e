import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, get } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SecureVersion, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type HttpServer, startHttpServer } from '../../src/server/http-server.ts'
import { type ServerTls, type ServerTlsSettings, serverTls } from '../../src/server/server-tls.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { makeCertificate } from '../helpers/certificates.ts'
import { emptySources } from './shared.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-listener-'))
const text = (name: string): string => readFileSync(join(folder, name), 'utf8')
beforeAll(() => {
	for (const name of ['one', 'two', 'client', 'stranger']) makeCertificate(folder, name)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const closing: (() => unknown)[] = []
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close()
})

async function start(tls: () => ServerTls | undefined): Promise<HttpServer> {
	const log = createLog({ write: () => undefined })
	const server = await startHttpServer({
		listen: { host: '127.0.0.1', port: 0 },
		log,
		sources: emptySources,
		tls,
	})
	closing.push(() => server.close())
	return server
}

const settings = (name: string, more: Partial<ServerTlsSettings> = {}): ServerTls =>
	serverTls({
		certPem: text(`${name}.pem`),
		certFile: '',
		keyPem: text(`${name}.key`),
		keyFile: '',
		clientCaPem: '',
		clientCaFile: '',
		clientAuthType: 'NoClientCert',
		cipherSuites: [],
		curvePreferences: [],
		minVersion: '',
		maxVersion: '',
		...more,
	})

/** Status of /-/ready; rejects when no answer came. */
const ready = ({ address }: HttpServer, options: object): Promise<number> =>
	new Promise((resolve, reject) => {
		get({ host: '127.0.0.1', port: address.port, path: '/-/ready', agent: false, ...options }, (response) => {
			response.resume().on('end', () => resolve(response.statusCode ?? 0))
		}).on('error', reject)
	})

describe('connections over TLS', () => {
	it('that never shake hands do not hold up the end', async () => {
		const tls = settings('one')
		const server = await start(() => tls)
		const silent = await new Promise<Socket>((done) => {
			const socket = connect(server.address.port, '127.0.0.1', () => done(socket))
		})
		closing.push(() => silent.destroy())
		silent.on('error', () => {})
		const ended = new Promise((done) => silent.once('close', done))
		const from = performance.now()
		await server.close()
		await ended
		expect(performance.now() - from).toBeLessThan(5000)
	})

	it('show the certificate that is in force, and those of an earlier one end when they are idle', async () => {
		let tls = settings('one')
		const server = await start(() => tls)
		const agent = new Agent({ keepAlive: true, maxSockets: 1 })
		closing.push(() => agent.destroy())
		let idle: TLSSocket | undefined
		agent.on('free', (socket: TLSSocket) => {
			idle = socket
		})
		expect(await ready(server, { ca: text('one.pem'), agent })).toBe(200)
		await new Promise((done) => setImmediate(done))
		const ended = new Promise((done) => idle!.once('close', done))
		tls = settings('two')
		const from = performance.now()
		expect(await ready(server, { ca: text('two.pem') })).toBe(200)
		await ended
		// Not for its time-out of five seconds.
		expect(performance.now() - from).toBeLessThan(4000)
	})

	it.each([
		['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'ECDHE-RSA-AES256-SHA'],
		['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
		['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
	])('take the cipher %s of TLS 1.2 alone, and any of TLS 1.3', async (suite, wanted) => {
		const tls = settings('one', { cipherSuites: [suite] })
		const server = await start(() => tls)
		const cipherOf = (maxVersion: SecureVersion, ciphers: string): Promise<string> =>
			new Promise((resolve, reject) => {
				const options = { host: '127.0.0.1', port: server.address.port, ca: text('one.pem') }
				const socket = tlsConnect({ ...options, maxVersion, ciphers }, () => {
					resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
					socket.destroy()
				}).on('error', reject)
			})
		const others = 'DEFAULT:@SECLEVEL=0'
		expect(await cipherOf('TLSv1.2', others)).toBe(`TLSv1.2 ${wanted}`)
		await expect(cipherOf('TLSv1.2', `${others}:!${wanted}`)).rejects.toThrow()
		expect(await cipherOf('TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256')).toBe(
			'TLSv1.3 TLS_CHACHA20_POLY1305_SHA256',
		)
	})

	it.each([
		['NoClientCert', [true, true, true]],
		['RequestClientCert', [true, true, true]],
		['RequireAnyClientCert', [false, true, true]],
		['VerifyClientCertIfGiven', [true, true, false]],
		['RequireAndVerifyClientCert', [false, true, false]],
	] as const)(
		'%s: with no certificate, one of the authority, one of nobody',
		async (clientAuthType, wanted) => {
			const clientCaPem = clientAuthType === 'NoClientCert' ? '' : text('client.pem')
			const tls = settings('one', { clientAuthType, clientCaPem })
			const server = await start(() => tls)
			const shown = [undefined, 'client', 'stranger'].map((name) =>
				name === undefined ? {} : { cert: text(`${name}.pem`), key: text(`${name}.key`) },
			)
			for (const [i, certificate] of shown.entries()) {
				const answer = ready(server, { ca: text('one.pem'), ...certificate })
				if (wanted[i]) expect(await answer).toBe(200)
				else await expect(answer).rejects.toThrow()
			}
		},
	)
})
