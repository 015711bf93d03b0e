import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Graph, LoadResult } from '../../src/graph/graph.ts'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { serveFiles, serveGit } from './git-server.ts'
import { eventually, git } from './support.ts'
import { type Journal, testGraph } from './test-components.ts'

const errors = (result: LoadResult): string[] => result.diagnostics.map(formatDiagnostic)
const module = (tag: string): string => `declare "a" {\n\ttest.sink "k" { tag = "${tag}" }\n}\n`

describe('import.git', () => {
	let root = ''
	let repository = ''
	let storagePath = ''
	const closing: (() => Promise<unknown>)[] = []
	const logs: string[] = []

	beforeAll(async () => {
		root = await mkdtemp(join(tmpdir(), 'vor-git-'))
		storagePath = join(root, 'data')
		repository = join(root, 'modules')
		await mkdir(join(repository, 'sub'), { recursive: true })
		git(repository, 'init', '--quiet', '--initial-branch=main')
		await commit('first')
		git(repository, 'tag', 'v1')
	})
	afterEach(async () => {
		for (const close of closing.splice(0)) await close()
	})
	afterAll(() => rm(root, { recursive: true }))

	async function commit(tag: string, path = 'module.alloy', text = module(tag)): Promise<string> {
		await writeFile(join(repository, path), text)
		git(repository, 'add', '.')
		git(repository, 'commit', '--quiet', '-m', tag)
		// What a dumb server shows of it.
		git(repository, 'update-server-info')
		return git(repository, 'rev-parse', 'HEAD')
	}

	function start(): { graph: Graph; journal: Journal; load(text: string): Promise<LoadResult> } {
		const made = testGraph('experimental', { storagePath, log: (line) => void logs.push(line) })
		closing.push(() => made.graph.stop(1000))
		return made
	}

	const text = (lines: string): string =>
		`import.git "ns" {\n${lines}\n\tpull_frequency = "100ms"\n}\nns.a "x" { }\n`
	const config = (more = '', path = 'module.alloy', from = `file://${repository}`): string =>
		text(`\trepository = "${from}"\n\tpath = "${path}"\n${more}`)

	it('takes a module from a repository and follows its branch', async () => {
		const { journal, load } = start()
		expect(errors(await load(config()))).toEqual([])
		expect(journal.take()).toEqual(['build test.sink.k first', 'start test.sink.k'])
		await commit('second')
		await eventually(() => journal.lines.includes('update test.sink.k second'))
		expect(journal.take()).toEqual(['update test.sink.k second'])
	})

	it('goes on where a git that was killed has left a lock, in the same process too', async () => {
		const first = start()
		expect(errors(await first.load(config()))).toEqual([])
		await first.graph.stop(1000)
		const clones = join(storagePath, 'import.git')
		for (const clone of await readdir(clones)) await writeFile(join(clones, clone, '.git/config.lock'), '')
		const { journal, load } = start()
		expect(errors(await load(config()))).toEqual([])
		expect(journal.take().at(-1)).toBe('start test.sink.k')
	})

	it('takes a tag, a branch, a commit and an abbreviated commit, and changes between them while it runs', async () => {
		const { journal, load } = start()
		const before = git(repository, 'rev-parse', 'v1')
		git(repository, 'checkout', '--quiet', '-b', 'other')
		await commit('other')
		git(repository, 'checkout', '--quiet', 'main')
		const seen = async (revision: string): Promise<string[]> => {
			expect(errors(await load(config(`\trevision = "${revision}"`)))).toEqual([])
			return journal.take().filter((line) => /^(build|update)/.test(line))
		}
		expect(await seen('v1')).toEqual(['build test.sink.k first'])
		expect(await seen('other')).toEqual(['update test.sink.k other'])
		expect(await seen(before)).toEqual(['update test.sink.k first'])
		expect(await seen('main')).toEqual(['update test.sink.k second'])
		expect(await seen(before.slice(0, 9))).toEqual(['update test.sink.k first'])
		// The tag is moved: the next pull sees it.
		await seen('v1')
		git(repository, 'tag', '--force', 'v1', 'other')
		await eventually(() => journal.lines.includes('update test.sink.k other'))
		git(repository, 'tag', '--force', 'v1', before)
	})

	it('takes the .alloy files of a folder, and modules beside it through module_path', async () => {
		await commit('deep', 'sub/one.alloy', 'declare "a" {\n\tbase.b "x" { }\n}\n')
		await commit('base', 'base.alloy', 'declare "b" {\n\ttest.sink "k" { tag = "base" }\n}\n')
		await commit(
			'import',
			'sub/two.alloy',
			'import.file "base" { filename = file.path_join(module_path, "base.alloy") }\n',
		)
		const { journal, load } = start()
		expect(errors(await load(config('', 'sub')))).toEqual([])
		expect(journal.take()).toContain('build test.sink.k base')
	})

	it.each([
		[
			'an absent repository',
			() => config('', 'module.alloy', `file://${root}/none`),
			/failed to update repository "file:\S*none": .*does not appear to be a git repository/,
		],
		[
			'an absent revision',
			() => config('\trevision = "nope"'),
			/failed to update repository "\S+": reference not found/,
		],
		[
			'an absent path',
			() => config('', 'nope.alloy'),
			/failed to read file: stat \S*nope\.alloy: no such file or directory/,
		],
		['a path outside', () => config('', '../../../etc/passwd'), /path must lie within the repository/],
		[
			'an option as repository',
			() => config('', 'module.alloy', '--upload-pack=touch /tmp/x'),
			/must not start with "-"/,
		],
	])('refuses %s', async (_what, make, message) => {
		const { load } = start()
		const [first, ...rest] = errors(await load(make()))
		expect(first).toMatch(
			/^config\.alloy:1:1: Failed to evaluate node for config block: updating component: /,
		)
		expect(first).toMatch(message)
		expect(rest.filter((line) => !line.includes('not found in the registry'))).toEqual([])
	})

	it('goes on with the last good module when the repository vanishes, and with it when it is back', async () => {
		const { graph, journal, load } = start()
		await load(config())
		journal.take()
		execFileSync('mv', [repository, `${repository}.away`])
		logs.length = 0
		await eventually(() => logs.some((line) => line.includes('failed to update module')))
		expect((await load(config())).ok).toBe(true)
		expect(journal.take()).toEqual([])
		expect(graph.components().map((one) => one.health.state)).toEqual(['healthy', 'healthy'])
		execFileSync('mv', [`${repository}.away`, repository])
		await commit('back')
		await eventually(() => journal.lines.includes('update test.sink.k back'))
	})

	it('works over smart HTTP and over files that any web server has', async () => {
		const smart = await serveGit(root)
		const dumb = await serveFiles(root)
		closing.push(smart.close, dumb.close)
		for (const [i, url] of [`${smart.url}/modules`, `${dumb.url}/modules/.git`].entries()) {
			const { journal, load } = start()
			expect(errors(await load(config('', 'module.alloy', url)))).toEqual([])
			expect(journal.take()[0]).toMatch(/^build test\.sink\.k /)
			await commit(`http${i}`)
			await eventually(() => journal.lines.includes(`update test.sink.k http${i}`))
		}
	})

	it('shows who it is with basic_auth, and keeps the password to itself', async () => {
		const server = await serveGit(root, 'me:s3cr3t-p4ss')
		closing.push(server.close)
		logs.length = 0
		const login = (password: string): string =>
			config(
				`\tbasic_auth {\n\t\tusername = "me"\n\t\tpassword = "${password}"\n\t}`,
				'module.alloy',
				`${server.url}/modules`,
			)
		const refused = start()
		const told = errors(await refused.load(login('wr0ng-p4ss'))).join('\n')
		expect(told).toContain('Authentication failed')
		expect(told).not.toContain('wr0ng-p4ss')
		const { graph, journal, load } = start()
		expect(errors(await load(login('s3cr3t-p4ss')))).toEqual([])
		expect(journal.take()[0]).toMatch(/^build test\.sink\.k /)
		await commit('with password')
		await eventually(() => journal.lines.includes('update test.sink.k with password'))
		expect(server.seen).toContain(`Basic ${Buffer.from('me:s3cr3t-p4ss').toString('base64')}`)
		expect(logs.join('')).not.toContain('s3cr3t-p4ss')
		expect(JSON.stringify(graph.components().map((one) => one.args))).not.toContain('s3cr3t-p4ss')
		await graph.stop(1000)
		expect(await filesWith(storagePath, 's3cr3t-p4ss')).toEqual([])
	})

	it('hands ssh the key, the user and the passphrase, and leaves no key behind', async () => {
		// There is no ssh server here: what ssh is started with is looked at, and it then speaks to the repository.
		const bin = join(root, 'bin')
		const note = join(root, 'ssh-note')
		await mkdir(bin)
		await writeFile(
			join(bin, 'ssh'),
			`#!/bin/sh
for word; do printf '%s\\n' "$word"; done >> ${note}
key=$(printf '%s\\n' "$@" | grep -A1 '^-i$' | tail -1)
{ stat -c %a "$key"; cat "$key"; "$SSH_ASKPASS" ask; } >> ${note}
for last; do :; done
exec sh -c "$last"
`,
			{ mode: 0o755 },
		)
		const path = process.env['PATH']
		process.env['PATH'] = `${bin}:${path}`
		try {
			const { journal, load } = start()
			const more =
				'\tssh_key {\n\t\tusername = "deploy"\n\t\tkey = "PRIVATE-KEY-TEXT"\n\t\tpassphrase = "pass phrase"\n\t}'
			expect(errors(await load(config(more, 'module.alloy', `ssh://git@example.com${repository}`)))).toEqual(
				[],
			)
			expect(journal.take()[0]).toMatch(/^build test\.sink\.k /)
		} finally {
			process.env['PATH'] = path
		}
		const noted = readFileSync(note, 'utf8')
		expect(noted).toMatch(/^-l\ndeploy\n-o\nIdentitiesOnly=yes\n-o\nStrictHostKeyChecking=yes\n/)
		expect(noted).toContain('600\nPRIVATE-KEY-TEXT\npass phrase\n')
		expect(await filesWith(storagePath, 'PRIVATE-KEY-TEXT')).toEqual([])
	})

	it('removes keys that a process left behind when it was killed', async () => {
		const data = join(root, 'killed')
		const left = join(data, 'import.git', '.secrets-left')
		await mkdir(left, { recursive: true })
		await writeFile(join(left, 'key'), 'PRIVATE-KEY-TEXT')
		const { graph, load } = testGraph('experimental', { storagePath: data })
		expect(errors(await load(config()))).toEqual([])
		expect(existsSync(left)).toBe(false)
		await graph.stop(1000)
	})

	it('is looked at once only with pull_frequency = "0s"', async () => {
		const { journal, load } = start()
		await load(config().replace('"100ms"', '"0s"'))
		journal.take()
		await commit('unseen')
		await new Promise((done) => setTimeout(done, 500))
		expect(journal.take()).toEqual([])
	})
})

/** Files below `folder` that hold `text`. */
async function filesWith(folder: string, text: string): Promise<string[]> {
	if (!existsSync(folder)) return []
	const entries = await readdir(folder, { recursive: true, withFileTypes: true })
	return entries
		.filter((one) => one.isFile())
		.map((one) => join(one.parentPath, one.name))
		.filter((path) => readFileSync(path, 'latin1').includes(text))
}
