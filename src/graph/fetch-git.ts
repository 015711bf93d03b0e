import { type ChildProcess, execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { promisify } from 'node:util'
import { hideLogin } from '../util/hide-login.ts'
import { fetchFile } from './fetch-file.ts'
import { type GitSettings, gitSettings } from './git-settings.ts'
import type { Fetched, ImportRequest } from './import-source.ts'

type GitRequest = Extract<ImportRequest, { kind: 'import.git' }>

const run = promisify(execFile)
/** A repository that answers but never ends must not hold a node for ever. */
const gitTimeoutMs = 120_000

/** Storage folders in which nothing is left of an earlier Vör. */
const tidied = new Map<string, Promise<void>>()

/** One look at a clone at a time: several imports may share it. */
const lines = new Map<string, Promise<unknown>>()

/**
 * A module in a git repository: a clone per repository and revision in the storage folder, brought up to date at every look
 * by the system's own git. No credentials are stored in the clone, on a command line or in an error.
 */
export async function fetchGit(
	request: GitRequest,
	storagePath: string,
	ending: AbortSignal | undefined,
): Promise<Fetched> {
	if (request.repository.startsWith('-') || request.revision.startsWith('-'))
		throw new Error('repository and revision must not start with "-"')
	const key = createHash('sha256').update(`${request.repository}\0${request.revision}`).digest('hex')
	const folder = resolve(storagePath, 'import.git', key.slice(0, 16))
	const before = lines.get(folder) ?? Promise.resolve()
	const look = before.then(async () => {
		await mkdir(folder, { recursive: true, mode: 0o750 })
		await forgetStaleLocks(folder)
		return withSettings(request, storagePath, (settings) => update(request, folder, settings, ending))
	})
	lines.set(
		folder,
		look.catch(() => undefined),
	)
	return look
}

/** A git that was killed leaves them. This storage folder has only one owner, and whoever looked before has ended. */
async function forgetStaleLocks(folder: string): Promise<void> {
	for (const name of ['index.lock', 'shallow.lock', 'HEAD.lock', 'config.lock'])
		await rm(join(folder, '.git', name), { force: true })
}

const secretsPrefix = '.secrets-'

/** Keys of a process that was killed while git ran. */
async function forgetStaleSecrets(parent: string): Promise<void> {
	for (const name of await readdir(parent))
		if (name.startsWith(secretsPrefix)) await rm(join(parent, name), { recursive: true, force: true })
}

/** Keys and certificates that git wants as files live in a folder of their own, and only as long as git runs. */
async function withSettings<T>(
	request: GitRequest,
	storagePath: string,
	work: (settings: GitSettings) => Promise<T>,
): Promise<T> {
	const parent = resolve(storagePath, 'import.git')
	const tidying = tidied.get(parent) ?? forgetStaleSecrets(parent)
	tidied.set(parent, tidying)
	try {
		await tidying
	} catch (reason) {
		tidied.delete(parent)
		throw reason
	}
	const secrets = await mkdtemp(join(parent, secretsPrefix))
	try {
		await chmod(secrets, 0o700)
		const settings = gitSettings(request, secrets)
		for (const { name, text, mode } of settings.files) await writeFile(join(secrets, name), text, { mode })
		return await work(settings)
	} finally {
		await rm(secrets, { recursive: true, force: true })
	}
}

async function update(
	request: GitRequest,
	folder: string,
	settings: GitSettings,
	ending: AbortSignal | undefined,
): Promise<Fetched> {
	const git = async (...args: string[]): Promise<string> => {
		const running = run('git', ['-C', folder, ...args], {
			timeout: gitTimeoutMs,
			maxBuffer: 16 * 1024 * 1024,
			env: { ...process.env, ...settings.environment },
			...(ending === undefined ? {} : { signal: ending }),
		})
		try {
			return (await running).stdout.trim()
		} catch (reason) {
			// Told to end is not ended: the next look must not meet it.
			await ended(running.child)
			throw reason
		}
	}
	try {
		await git('init', '--quiet')
		await git('checkout', '--quiet', '--force', '--detach', await obtain(request, git))
	} catch (reason) {
		throw new Error(
			`failed to update repository "${hideLogin(request.repository)}": ${problemOf(reason, request)}`,
		)
	}
	const path = resolve(folder, request.path)
	if (path !== folder && !path.startsWith(folder + sep))
		throw new Error('path must lie within the repository')
	const { files } = await fetchFile(path)
	return {
		files: files.map(({ name, text }) => ({ name: relative(folder, name), text })),
		// As in Alloy the clone, whatever the path.
		modulePath: folder,
	}
}

async function ended(child: ChildProcess): Promise<void> {
	const isRunning = child.pid !== undefined && child.exitCode === null && child.signalCode === null
	if (isRunning) await once(child, 'exit')
}

/** What the server says that takes no single revision: dumb HTTP, an abbreviated commit, `main~1`. */
const wantsAll =
	/does not support shallow|couldn't find remote ref|not our ref|unadvertised object|invalid refspec/i

/** The commit that the revision names now. One revision without its history where the server can, else everything. */
async function obtain(request: GitRequest, git: (...args: string[]) => Promise<string>): Promise<string> {
	const { repository, revision } = request
	try {
		await git('fetch', '--quiet', '--depth=1', '--force', '--no-tags', repository, revision)
		return 'FETCH_HEAD'
	} catch (reason) {
		if (!wantsAll.test(errorText(reason))) throw reason
	}
	const shallow = (await git('rev-parse', '--is-shallow-repository')) === 'true'
	const all = [
		'+HEAD:refs/remotes/origin/HEAD',
		'+refs/heads/*:refs/remotes/origin/*',
		'+refs/tags/*:refs/tags/*',
	]
	await git('fetch', '--quiet', '--force', '--prune', ...(shallow ? ['--unshallow'] : []), repository, ...all)
	// In Alloy's order: a tag, a branch, anything else that names a commit.
	for (const name of [`refs/tags/${revision}`, `refs/remotes/origin/${revision}`, revision]) {
		const commit = await git(
			'rev-parse',
			'--verify',
			'--quiet',
			'--end-of-options',
			`${name}^{commit}`,
		).catch(() => '')
		if (commit !== '') return commit
	}
	throw new Error('reference not found')
}

const errorText = (reason: unknown): string =>
	reason instanceof Error && 'stderr' in reason && typeof reason.stderr === 'string' && reason.stderr !== ''
		? reason.stderr
		: reason instanceof Error
			? reason.message
			: String(reason)

/** The last thing git said, without what must not be printed. */
function problemOf(reason: unknown, request: GitRequest): string {
	if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT')
		return 'the git program is not installed'
	if (reason instanceof Error && 'killed' in reason && reason.killed === true)
		return `no answer within ${gitTimeoutMs / 1000} s`
	let text = gitSaid(errorText(reason).trim().split(/\r?\n/))
	for (const secret of secretsOf(request)) if (secret !== '') text = text.replaceAll(secret, '(secret)')
	return hideLogin(text)
}

function gitSaid(lines: readonly string[]): string {
	const at = lines.findIndex((line) => /^(fatal|error): /.test(line))
	const text = (lines[at] ?? lines.at(-1) ?? '').replace(/^(fatal|error): /, '')
	if (!text.startsWith('Could not read from remote repository')) return text
	// Why is what ssh said before that.
	const ssh = lines.slice(0, at).filter((line) => line.trim() !== '' && !line.startsWith('@'))
	const why = ssh.at(-1)?.trim()
	const key = ssh.find((line) => /^No \S+ host key is known for /.test(line))
	const changed = lines.some((line) => line.includes('REMOTE HOST IDENTIFICATION HAS CHANGED'))
	const about = changed
		? 'the key of the host is another one than before'
		: key?.replace(/ and you have.*$/, '')
	return [about, why ?? text].filter((part) => part !== undefined && part !== '').join(': ')
}

function secretsOf({ auth }: GitRequest): readonly string[] {
	if (auth === undefined) return []
	return auth.kind === 'basic' ? [auth.password.reveal()] : [auth.passphrase.reveal()]
}
