import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProgram } from '../e2e/support/process.ts'
import { freePort } from '../e2e/support/programs.ts'
import { mainJs, runVor } from '../e2e/support/vor.ts'

let folder: string
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'vor-http-tls-'))
	for (const name of ['server', 'client', 'stranger']) {
		execFileSync(
			'openssl',
			[
				'req',
				'-x509',
				'-newkey',
				'rsa:2048',
				'-nodes',
				'-days',
				'2',
				'-subj',
				`/CN=${name}`,
				'-addext',
				'subjectAltName=IP:127.0.0.1',
				'-keyout',
				`${name}.key`,
				'-out',
				`${name}.pem`,
			],
			{ cwd: folder, stdio: 'ignore' },
		)
	}
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string) => join(folder, name)
const text = (name: string) => readFileSync(file(name), 'utf8')

function write(name: string, tls: string): string {
	writeFileSync(file(name), tls === '' ? '' : `http {\n\ttls {\n${tls}\n\t}\n}\n`)
	return file(name)
}
const pair = () => `\t\tcert_file = "${file('server.pem')}"\n\t\tkey_file = "${file('server.key')}"`

/** Status of /-/ready over TLS; rejects when the handshake or the certificate fails. */
function ready(port: number, options: https.RequestOptions = {}): Promise<number> {
	return new Promise((resolve, reject) => {
		https
			.get(
				{ host: '127.0.0.1', port, path: '/-/ready', agent: false, ca: text('server.pem'), ...options },
				(response) => {
					response.resume()
					response.on('end', () => resolve(response.statusCode ?? 0))
				},
			)
			.on('error', reject)
	})
}

async function startWith(config: string) {
	const port = await freePort()
	const storage = mkdtempSync(join(folder, 'data-'))
	const program = startProgram(process.execPath, [
		mainJs,
		'run',
		config,
		`--server.http.listen-addr=127.0.0.1:${port}`,
		`--storage.path=${storage}`,
	])
	await program.waitFor(/is running/)
	return { port, program }
}

describe('the tls block of http', () => {
	it('turns the endpoints into TLS ones, and back when a reload takes it away', async () => {
		const config = write('plain.alloy', pair())
		const { port, program } = await startWith(config)
		try {
			expect(await ready(port)).toBe(200)
			await expect(fetch(`http://127.0.0.1:${port}/-/ready`)).rejects.toThrow()
			await expect(ready(port, { ca: text('stranger.pem') })).rejects.toThrow()
			writeFileSync(config, '')
			program.child.kill('SIGHUP')
			await program.waitFor(/config reloaded/)
			expect((await fetch(`http://127.0.0.1:${port}/-/ready`)).status).toBe(200)
		} finally {
			expect(await program.stop()).toBe(0)
		}
	})

	it('lets in only who shows a certificate of the named authority', async () => {
		const config = write(
			'mutual.alloy',
			`${pair()}\n\t\tclient_ca_file = "${file('client.pem')}"\n\t\tclient_auth_type = "RequireAndVerifyClientCert"`,
		)
		const { port, program } = await startWith(config)
		try {
			expect(await ready(port, { cert: text('client.pem'), key: text('client.key') })).toBe(200)
			await expect(ready(port)).rejects.toThrow()
			await expect(ready(port, { cert: text('stranger.pem'), key: text('stranger.key') })).rejects.toThrow()
		} finally {
			await program.stop()
		}
	})

	it('stays with the last good certificate when a reload names one that cannot be used', async () => {
		const config = write('bad-reload.alloy', pair())
		const { port, program } = await startWith(config)
		try {
			write(
				'bad-reload.alloy',
				`\t\tcert_file = "${file('absent.pem')}"\n\t\tkey_file = "${file('server.key')}"`,
			)
			program.child.kill('SIGHUP')
			await program.waitFor(/http tls: cert_file: ENOENT/)
			expect(await ready(port)).toBe(200)
			await expect(fetch(`http://127.0.0.1:${port}/-/ready`)).rejects.toThrow()
		} finally {
			await program.stop()
		}
	})

	it.each([
		[
			'a file that is not there',
			() => `\t\tcert_file = "${file('absent.pem')}"\n\t\tkey_file = "${file('server.key')}"`,
			'cert_file: ENOENT',
		],
		[
			'a key of another certificate',
			() => `\t\tcert_file = "${file('server.pem')}"\n\t\tkey_file = "${file('client.key')}"`,
			'http tls:',
		],
		['no key', () => `\t\tcert_file = "${file('server.pem')}"`, 'must specify either key_pem or key_file'],
		[
			'a certificate in two ways',
			() => `${pair()}\n\t\tcert_pem = "x"`,
			'cannot specify both cert_pem and cert_file',
		],
		[
			'an authority that nobody is asked about',
			() => `${pair()}\n\t\tclient_ca_file = "${file('client.pem')}"`,
			'cannot specify client_ca_pem or client_ca_file when client_auth_type is NoClientCert',
		],
		['an unknown cipher', () => `${pair()}\n\t\tcipher_suites = ["RC4"]`, 'unknown cipher "RC4"'],
		['an unknown curve', () => `${pair()}\n\t\tcurve_preferences = ["P"]`, 'unknown curve "P"'],
		['an unknown version', () => `${pair()}\n\t\tmin_version = "1.2"`, 'unknown TLS version "1.2"'],
		[
			'an unknown client authentication',
			() => `${pair()}\n\t\tclient_auth_type = "Sometimes"`,
			'unknown client auth type "Sometimes"',
		],
	])('ends the first load over %s', async (_, tls, message) => {
		const config = write('refused.alloy', tls())
		const result = await runVor([
			'run',
			config,
			'--server.http.listen-addr=127.0.0.1:0',
			`--storage.path=${folder}/refused`,
		])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain(message)
		expect(result.stderr).not.toContain('BEGIN')
	})
})
