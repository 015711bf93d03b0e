import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { type InstanceFlags, instanceOf } from '../../src/cli/instance.ts'
import { type Program, run, startProgram } from '../e2e/support/process.ts'
import { freePort } from '../e2e/support/programs.ts'
import { mainJs } from '../e2e/support/vor.ts'
import { makeCertificate } from '../helpers/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-instance-'))
const password = 'correct horse: battery'
const file = (name: string): string => join(folder, name)

beforeAll(() => {
	for (const name of ['server', 'client', 'stranger']) makeCertificate(folder, name)
	makeCertificate(folder, 'elsewhere', { names: 'DNS:elsewhere.example' })
	makeCertificate(folder, 'expired', { expired: true })
	writeFileSync(file('password'), `${password}\n`, { mode: 0o600 })
	writeFileSync(file('wrong'), 'Tr0ub4dor\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const auth = `	auth {
		basic {
			username = "me"
			password = "${password}"
		}
	}
`
const tls = (name: string, more = ''): string => `	tls {
		cert_file = "${file(`${name}.pem`)}"
		key_file  = "${file(`${name}.key`)}"
${more}	}
`

async function startVor(name: string, http: string): Promise<{ host: string; program: Program }> {
	const config = file(`${name}.alloy`)
	writeFileSync(config, http === '' ? '' : `http {\n${http}}\n`)
	const port = await freePort()
	const program = startProgram(process.execPath, [
		mainJs,
		'run',
		config,
		`--server.http.listen-addr=127.0.0.1:${port}`,
		`--storage.path=${file(`${name}-data`)}`,
	])
	await program.waitFor(/is running/)
	return { host: `127.0.0.1:${port}`, program }
}

async function vor(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
	const ended = await run(process.execPath, [mainJs, ...argv], { env: { PATH: process.env['PATH'], ...env } })
	for (const secret of [password, 'Tr0ub4dor'])
		expect(ended.stdout + ended.stderr, 'a password was printed').not.toContain(secret)
	return ended
}

describe('vor top and vor ps ask a Vör that is protected by its http block', () => {
	let host = ''
	let program: Program
	let url = ''
	beforeAll(async () => {
		;({ host, program } = await startVor('both', auth + tls('server')))
		url = `https://${host}`
	})
	afterAll(async () => void (await program?.stop()))

	const login = () => ['--user=me', `--password-file=${file('password')}`]

	it('with a password from a file or the environment, and the certificate to trust', async () => {
		const fromFile = await vor([
			'top',
			'--json',
			`--url=${url}/`,
			...login(),
			`--ca-file=${file('server.pem')}`,
		])
		expect(fromFile.stderr).toBe('')
		expect(JSON.parse(fromFile.stdout)).toMatchObject({ services: [], spans: 0 })
		const fromEnvironment = await vor(
			['top', '--json', `--url=${url}`, '--user=me', '--insecure-skip-verify'],
			{
				VOR_HTTP_PASSWORD: password,
			},
		)
		expect(fromEnvironment.code, fromEnvironment.stderr).toBe(0)
		const ps = await vor(['ps', '--json', `--url=${url}`, ...login(), `--ca-file=${file('server.pem')}`])
		expect(ps.code, ps.stderr).toBe(0)
		const self = (JSON.parse(ps.stdout) as { pid: number; unreadable: unknown }[]).find(
			({ pid }) => pid === program.pid,
		)
		expect(self?.unreadable).toEqual([])
	})

	it.each([
		['nobody', () => [], /^error: https:\/\/\S+ wants to know who asks \(401\)\nfix: --user=NAME/],
		[
			'another password',
			() => ['--user=me', `--password-file=${file('wrong')}`],
			/does not take user me with this password \(401\)\nfix: they stand in its file/,
		],
	])('401 for %s says what to do', async (_, who, message) => {
		const { code, stdout, stderr } = await vor(['top', `--url=${url}`, ...who(), '--insecure-skip-verify'])
		expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
		expect(stderr).toMatch(message)
	})

	it.each([
		['that nobody here trusts', [], /is signed by nobody this machine trusts \(.+\)\nfix: --ca-file=FILE/],
		[
			'of another than --ca-file',
			[`--ca-file=${file('stranger.pem')}`],
			/is signed by nobody that --ca-file holds \(.+\)\nfix: --ca-file=FILE/,
		],
	])('a certificate %s is named as the reason', async (_, flags, message) => {
		const { code, stderr } = await vor(['top', `--url=${url}`, ...login(), ...flags])
		expect(code).toBe(1)
		expect(stderr).toMatch(message)
	})

	it('plain HTTP where there is TLS is told so, with the address to use', async () => {
		const { code, stderr } = await vor(['top', `--address=${host}`])
		expect(code).toBe(1)
		expect(stderr).toContain(`what listens at http://${host} does not answer to plain HTTP`)
		expect(stderr).toContain(`fix: if it has TLS: --url=https://${host}`)
	})

	it('vor ps without the way in still lists, and says why it knows less', async () => {
		const named = await vor(['ps', `--url=${url}`, '--insecure-skip-verify'])
		expect(named.code).toBe(1)
		expect(named.stderr).toMatch(/wants to know who asks/)
	})
})

it.each([
	['expired', [], /the certificate of https:\S+ has expired\nfix: give it a new one/],
	['elsewhere', [], /is for another name \(.*127\.0\.0\.1.*\)\nfix: name it in --url/],
])('a certificate that is %s is told so', async (name, flags, message) => {
	const { host, program } = await startVor(name, tls(name))
	try {
		const trust = `--ca-file=${file(`${name}.pem`)}`
		const { code, stderr } = await vor(['top', `--url=https://${host}`, trust, ...flags])
		expect(code).toBe(1)
		expect(stderr).toMatch(message)
	} finally {
		await program.stop()
	}
})

it('a Vör that asks for a certificate gets one', async () => {
	const wanted = `\t\tclient_ca_file   = "${file('client.pem')}"\n\t\tclient_auth_type = "RequireAndVerifyClientCert"\n`
	const { host, program } = await startVor('mutual', tls('server', wanted))
	const top = (...flags: string[]) =>
		vor(['top', '--json', `--url=https://${host}`, `--ca-file=${file('server.pem')}`, ...flags])
	const show = (name: string) => [`--cert-file=${file(`${name}.pem`)}`, `--key-file=${file(`${name}.key`)}`]
	try {
		expect((await top(...show('client'))).code).toBe(0)
		expect((await top()).stderr).toMatch(/asks for a certificate \(.+\)\nfix: --cert-file=FILE/)
		expect((await top(...show('stranger'))).stderr).toMatch(
			/(hung up without an answer|does not take).*\nfix: .*--cert-file/,
		)
	} finally {
		await program.stop()
	}
})

it('https where there is no TLS is told so, with the address to use', async () => {
	const { host, program } = await startVor('plain', '')
	try {
		const { stderr } = await vor(['top', `--url=https://${host}`])
		expect(stderr).toContain(`what listens at https://${host} does not speak TLS\nfix: --url=http://${host}`)
		expect((await vor(['top', '--json', `--url=http://${host}`])).code).toBe(0)
	} finally {
		await program.stop()
	}
})

const refusal = (flags: Partial<InstanceFlags>, env: NodeJS.ProcessEnv = {}): unknown => {
	try {
		return instanceOf({ 'insecure-skip-verify': false, ...flags }, env)
	} catch (reason) {
		return reason
	}
}

test.each([
	['an address twice', { address: 'a:1', url: 'http://a:1' }, 'both say where'],
	[
		'a URL as address',
		{ address: 'https://me:hidden@a:1' },
		'--address is "https://a:1", expected HOST:PORT',
	],
	['an address as URL', { url: '127.0.0.1:1' }, 'expected https://HOST:PORT'],
	['another scheme', { url: 'ftp://a' }, 'expected https://HOST:PORT'],
	['a user without password', { user: 'me' }, '--user=me needs a password'],
	['a password in the user', { user: 'me:hidden' }, '--user must not contain ":"'],
	['a password in the URL', { url: 'https://me:hidden@a' }, '--url holds a user or password'],
	['a password for nobody', { 'password-file': '/p' }, '--password-file needs the --user'],
	['a login as address', { address: 'me:hidden@a:1' }, '--address is "a:1", expected HOST:PORT'],
	['a key without certificate', { url: 'https://a', 'key-file': '/k' }, 'belong together'],
	['trust without TLS', { url: 'http://a', 'ca-file': '/k' }, '--ca-file is about TLS'],
	['a file that is not there', { user: 'me', 'password-file': '/nothing' }, 'ENOENT'],
	['a file that is no certificate', { url: 'https://a', 'ca-file': '/etc/hostname' }, 'not in PEM form'],
] as const)('%s is refused', (_, flags, message) => {
	const reason = refusal(flags)
	expect(reason).toMatchObject({ message: expect.stringContaining(message) as string })
	const { message: said, fix } = reason as { message: string; fix: string }
	expect(said + fix).not.toContain('hidden')
})

test('the line end of a password file is no part of the password; one in the environment is taken as it is', () => {
	writeFileSync(file('crlf'), 'a b \r\n')
	expect(refusal({ user: 'me', 'password-file': file('crlf') })).toMatchObject({
		login: { user: 'me', password: 'a b ' },
	})
	expect(refusal({ user: 'me' }, { VOR_HTTP_PASSWORD: '' })).toMatchObject({
		login: { user: 'me', password: '' },
	})
})
