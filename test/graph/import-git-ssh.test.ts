import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { makeKey, type SshServer, startSshd } from './ssh-server.ts'
import { eventually, git } from './support.ts'
import { testGraph } from './test-components.ts'

const module = (tag: string): string => `declare "a" {\n\ttest.sink "k" { tag = "${tag}" }\n}\n`
const passphrase = 'open "sesame" $HOME'

describe('import.git from a real sshd', () => {
	let root = ''
	let repository = ''
	let server: SshServer
	let plain: { file: string; text: string }
	let locked: { file: string; text: string }
	let stranger: { file: string; text: string }
	const closing: (() => Promise<unknown>)[] = []
	const logs: string[] = []
	const before = process.env['SSH_KNOWN_HOSTS']

	beforeAll(async () => {
		root = await mkdtemp(join(tmpdir(), 'vor-git-ssh-'))
		repository = join(root, 'modules')
		await mkdir(repository)
		git(repository, 'init', '--quiet', '--initial-branch=main')
		await commit('first')
		const keys = join(root, 'keys')
		await mkdir(keys)
		plain = makeKey(keys, 'plain')
		locked = makeKey(keys, 'locked', passphrase)
		stranger = makeKey(keys, 'stranger')
		server = await startSshd(join(root, 'sshd'), [plain.file, locked.file])
		process.env['SSH_KNOWN_HOSTS'] = server.knownHosts
	})
	afterEach(async () => {
		for (const close of closing.splice(0)) await close()
	})
	afterAll(async () => {
		if (before === undefined) delete process.env['SSH_KNOWN_HOSTS']
		else process.env['SSH_KNOWN_HOSTS'] = before
		await server?.stop()
		await rm(root, { recursive: true, force: true })
	})

	async function commit(tag: string): Promise<void> {
		await writeFile(join(repository, 'module.alloy'), module(tag))
		git(repository, 'add', '.')
		git(repository, 'commit', '--quiet', '-m', tag)
	}

	async function load(key: string, url = `ssh://${server.host}${repository}`) {
		const made = testGraph('experimental', {
			storagePath: join(root, 'data'),
			log: (line) => void logs.push(line),
		})
		closing.push(() => made.graph.stop(1000))
		const text = `import.git "ns" {
	repository     = "${url}"
	path           = "module.alloy"
	pull_frequency = "100ms"

	ssh_key {
		username = "${server.user}"
${key}
	}
}
ns.a "x" { }
`
		const { diagnostics } = await made.load(text)
		return { ...made, errors: diagnostics.map(formatDiagnostic) }
	}
	const raw = (text: string): string => `\t\tkey = \`${text}\``

	it('shows its key, as text or as file, and follows the branch', async () => {
		const byText = await load(raw(plain.text))
		expect(byText.errors, server.log()).toEqual([])
		expect(byText.journal.take()[0]).toBe('build test.sink.k first')
		const byFile = await load(`\t\tkey_file = "${plain.file}"`)
		expect(byFile.errors).toEqual([])
		await commit('second')
		await eventually(() => byText.journal.lines.includes('update test.sink.k second'))
		expect(server.log()).toContain(`Accepted publickey for ${server.user} from 127.0.0.1`)
	})

	it('opens a key that has a passphrase, whatever characters that holds', async () => {
		const quoted = `\t\tpassphrase = ${JSON.stringify(passphrase)}`
		const opened = await load(`${raw(locked.text)}\n${quoted}`)
		expect(opened.errors, server.log()).toEqual([])
		expect(opened.journal.take()[0]).toMatch(/^build test\.sink\.k /)
		const wrong = await load(`${raw(locked.text)}\n\t\tpassphrase = "s3cret-wrong"`)
		expect(wrong.errors[0]).toContain('Permission denied (publickey)')
		expect(wrong.errors.join('')).not.toContain('s3cret-wrong')
	})

	it('logs in as the user of the block, whoever the address names', async () => {
		const named = await load(raw(plain.text), `ssh://somebody@${server.host}${repository}`)
		expect(named.errors, server.log()).toEqual([])
	})

	it('says what the server or ssh said when it is not let in', async () => {
		expect((await load(raw(stranger.text))).errors[0]).toMatch(
			/updating component: failed to update repository "ssh:\/\/127\.0\.0\.1:\d+\S*modules": .*Permission denied \(publickey\)/,
		)
		const absent = await load(raw(plain.text), `ssh://${server.host}${repository}-none`)
		expect(absent.errors[0]).toContain('does not appear to be a git repository')
	})

	it('goes to no server whose key it does not know, or that has another one', async () => {
		const known = process.env['SSH_KNOWN_HOSTS']
		const other = join(root, 'other-hosts')
		try {
			process.env['SSH_KNOWN_HOSTS'] = other
			await writeFile(other, '')
			expect((await load(raw(plain.text))).errors[0]).toMatch(
				/No ED25519 host key is known for \[127\.0\.0\.1\]:\d+: Host key verification failed/,
			)
			const key = (await readFile(`${stranger.file}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ')
			await writeFile(other, `[127.0.0.1]:${server.host.split(':')[1]} ${key}\n`)
			expect((await load(raw(plain.text))).errors[0]).toContain(
				'the key of the host is another one than before: Host key verification failed',
			)
			expect((await readFile(other, 'utf8')).split('\n')).toHaveLength(2)
		} finally {
			process.env['SSH_KNOWN_HOSTS'] = known
		}
	})

	it('leaves no key and no passphrase behind, in no file and in no log', async () => {
		const secrets = [plain.text, locked.text].map((text) => text.split('\n')[3]!)
		const data = join(root, 'data')
		expect(existsSync(data)).toBe(true)
		for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
			if (!entry.isFile()) continue
			const text = await readFile(join(entry.parentPath, entry.name), 'latin1')
			for (const secret of [...secrets, passphrase]) expect(text, entry.name).not.toContain(secret)
		}
		for (const secret of [...secrets, passphrase]) expect(logs.join('')).not.toContain(secret)
	})
})
