// A Go toolchain for the tests, without touching the user's system: `go` on PATH if it is new enough, else one that is
// unpacked into the cache folder. Node, npm and apt are all this needs: Debian's Go is too old to build the judge, but old
// enough to be there, and it can fetch the newer toolchain as what it also is, a module.
import { execFile, spawn } from 'node:child_process'
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const WANTED = 'go1.26.8'
const OLDEST_MINOR = 25

/** Where everything lives that tests need and git must not hold. */
export function cacheFolder() {
	const folder =
		process.env.VOR_TEST_CACHE ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vor-test')
	mkdirSync(folder, { recursive: true })
	return folder
}

export function say(line) {
	process.stderr.write(`${line}\n`)
}

/** Environment in which Go keeps all it downloads and builds inside the cache folder. */
export function goEnvironment(goRoot = '') {
	const folder = cacheFolder()
	return {
		...process.env,
		GOMODCACHE: join(folder, 'go-modules'),
		GOCACHE: join(folder, 'go-build'),
		GOFLAGS: '-mod=mod -modcacherw -buildvcs=false',
		GOTOOLCHAIN: 'local',
		GOWORK: 'off',
		CGO_ENABLED: '0',
		...(goRoot === '' ? {} : { GOROOT: goRoot }),
	}
}

/** Path of a `go` that can build today's modules, and the environment to run it in. */
export async function ensureGo() {
	const onPath = await versionOf('go')
	if (onPath !== undefined && newEnough(onPath)) return { go: 'go', env: goEnvironment() }
	const folder = cacheFolder()
	return await locked(join(folder, 'go.lock'), async () => {
		const root = join(folder, 'go-modules', `golang.org/toolchain@v0.0.1-${WANTED}.${platform()}`)
		if (!existsSync(join(root, '.ready'))) await fetchToolchain(root, onPath)
		return { go: join(root, 'bin/go'), env: goEnvironment(root) }
	})
}

/** Tests that build Go programs call `go`: where the machine has none, this process and its children get the cached one. */
export async function putGoOnPath() {
	const { go, env } = await ensureGo()
	if (go === 'go') return
	Object.assign(process.env, {
		PATH: `${dirname(go)}${delimiter}${process.env.PATH}`,
		GOROOT: env.GOROOT,
		GOMODCACHE: env.GOMODCACHE,
		GOCACHE: env.GOCACHE,
		GOTOOLCHAIN: env.GOTOOLCHAIN,
		CGO_ENABLED: env.CGO_ENABLED,
	})
}

async function fetchToolchain(root, onPath) {
	const folder = cacheFolder()
	const starter = onPath === undefined ? await unpackDebianGo(folder) : { go: 'go', env: goEnvironment() }
	say(`go: fetching ${WANTED} into ${folder} (70 MB, once)`)
	const scratch = mkdtempSync(join(folder, 'fetch-'))
	try {
		writeFileSync(join(scratch, 'go.mod'), 'module fetch\n')
		const module = `golang.org/toolchain@v0.0.1-${WANTED}.${platform()}`
		await run(starter.go, ['mod', 'download', module], { cwd: scratch, env: starter.env })
	} finally {
		rmSync(scratch, { recursive: true, force: true })
	}
	// Module zips carry no modes.
	for (const tools of ['bin', `pkg/tool/${platform().replace('-', '_')}`]) {
		const at = join(root, tools)
		if (!existsSync(at)) continue
		for (const name of readdirSync(at))
			if (statSync(join(at, name)).isFile()) chmodSync(join(at, name), 0o755)
	}
	await run(join(root, 'bin/go'), ['version'], { env: goEnvironment(root) })
	writeFileSync(join(root, '.ready'), '')
}

async function unpackDebianGo(folder) {
	const at = join(folder, 'go-debian')
	if (!existsSync(join(at, 'usr/lib'))) {
		say("go: none on PATH, unpacking the distribution's package into the cache folder (nothing is installed)")
		const scratch = mkdtempSync(join(folder, 'deb-'))
		try {
			const name = await debianPackage()
			await run('apt-get', ['download', name], { cwd: scratch })
			const archive = readdirSync(scratch).find((file) => file.endsWith('.deb'))
			if (archive === undefined) throw new Error(`apt-get download ${name} left no package`)
			await run('dpkg-deb', ['-x', join(scratch, archive), at])
		} finally {
			rmSync(scratch, { recursive: true, force: true })
		}
	}
	const [name] = readdirSync(join(at, 'usr/lib')).filter((entry) => entry.startsWith('go-'))
	const goRoot = join(at, 'usr/lib', name)
	return { go: join(goRoot, 'bin/go'), env: goEnvironment(goRoot) }
}

/** The package that holds the compiler: `golang-go` only points at it. */
async function debianPackage() {
	for (let attempt = 0; ; attempt++) {
		const { stdout } = await run('apt-cache', ['depends', 'golang-go']).catch(() => ({ stdout: '' }))
		const match = /Depends: (golang-[\d.]+-go)/.exec(stdout)
		if (match !== null) return match[1]
		if (attempt > 0)
			throw new Error('no Go toolchain: install Go 1.25 or later, or run `apt-get update` as root')
		await run('apt-get', ['update', '-qq']).catch((error) => {
			throw new Error(
				`no Go toolchain and apt-get update failed: run it as root, or install Go 1.25 or later`,
				{ cause: error },
			)
		})
	}
}

async function versionOf(go) {
	try {
		return (
			await run(go, ['env', 'GOVERSION'], { env: { ...process.env, GOTOOLCHAIN: 'local' } })
		).stdout.trim()
	} catch {
		return undefined
	}
}

function newEnough(version) {
	const match = /^go1\.(\d+)/.exec(version)
	return match !== null && Number(match[1]) >= OLDEST_MINOR
}

function platform() {
	return `linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
}

/** Runs `work` while no other process does; a lock whose owner died is taken over. */
export async function locked(path, work) {
	for (let waited = 0; ; waited++) {
		try {
			writeFileSync(path, String(process.pid), { flag: 'wx' })
			break
		} catch (error) {
			if (error.code !== 'EEXIST') throw error
		}
		const owner = readOwner(path)
		if (owner !== undefined && !alive(owner)) rmSync(path, { force: true })
		else if (waited % 30 === 0) say(`waiting for process ${owner ?? '?'}, which holds ${path}`)
		await new Promise((resolve) => setTimeout(resolve, 1000))
	}
	try {
		return await work()
	} finally {
		rmSync(path, { force: true })
	}
}

function readOwner(path) {
	try {
		const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
		return Number.isInteger(pid) ? pid : undefined
	} catch {
		return undefined
	}
}

function alive(pid) {
	try {
		process.kill(pid, 0)
		return true
	} catch (error) {
		return error.code === 'EPERM'
	}
}

/** Runs a long command at low priority, with a line every 20 s so that nobody thinks it hangs. */
export async function runLong(what, command, args, options) {
	const started = Date.now()
	const tick = setInterval(
		() => say(`${what}: still at it after ${Math.round((Date.now() - started) / 1000)} s`),
		20_000,
	)
	try {
		await new Promise((resolve, reject) => {
			const child = spawn('nice', ['-n', '10', command, ...args], {
				...options,
				stdio: ['ignore', 'pipe', 'pipe'],
			})
			let tail = ''
			const keep = (chunk) => (tail = (tail + chunk).slice(-4000))
			child.stdout.on('data', keep)
			child.stderr.on('data', keep)
			child.on('error', reject)
			child.on('close', (code) =>
				code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')} failed (${code}):\n${tail}`)),
			)
		})
	} finally {
		clearInterval(tick)
	}
}
