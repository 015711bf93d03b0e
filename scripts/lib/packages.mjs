import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run, ScriptError, say, timed } from './report.mjs'

/** `has` looks for the thing itself, not for the package: it may have come from anywhere. */
const buildNeeds = [
	{ package: 'make', why: 'runs the two C builds', has: () => command('make') },
	{ package: 'g++', why: 'compiles the addon that talks to the kernel', has: () => command('g++') },
	{ package: 'clang', why: 'compiles the eBPF programs', has: () => command('clang') },
	{
		package: 'llvm',
		why: 'llvm-strip takes debug sections off the eBPF objects',
		has: () => command('llvm-strip'),
	},
	{ package: 'pkg-config', why: 'finds libbpf', has: () => command('pkg-config') },
	{ package: 'libbpf-dev', why: 'loads eBPF programs', has: () => header('bpf/libbpf.h') },
	{ package: 'libelf-dev', why: 'libbpf reads object files with it', has: () => header('libelf.h') },
	{ package: 'zlib1g-dev', why: 'libbpf needs it', has: () => header('zlib.h') },
]

const testNeeds = [
	{ package: 'nginx', why: 'a target, and the truth for counts', has: () => command('nginx') },
	{ package: 'curl', why: 'a client that lives for milliseconds', has: () => command('curl') },
	{ package: 'wrk', why: 'makes load', has: () => command('wrk') },
	{ package: 'python3', why: 'a target', has: () => command('python3') },
	{ package: 'default-jdk-headless', why: 'a target', has: () => command('javac') },
	{ package: 'gcc', why: 'builds the C target', has: () => command('gcc') },
	{ package: 'iproute2', why: 'network namespaces for tests', has: () => command('ip') && command('ss') },
	{ package: 'procps', why: 'looks at processes in tests', has: () => command('ps') },
	{ package: 'bpftool', why: 'checks that nothing stays attached', has: () => command('bpftool') },
	{ package: 'git', why: 'clones the repository for the test of a clean install', has: () => command('git') },
	{ package: 'openssh-client', why: 'modules from git repositories over ssh', has: () => command('ssh') },
	{
		package: 'openssh-server',
		why: 'the other end of those, on a port of its own',
		has: () => command('sshd'),
	},
	{
		package: 'ca-certificates',
		why: 'lets test tools reach package registries',
		has: () => existsSync('/etc/ssl/certs/ca-certificates.crt'),
	},
	{ package: 'openssl', why: 'makes certificates for TLS tests', has: () => command('openssl') },
]

/** Installs what is missing through apt-get, or says exactly what to run. */
export async function ensurePackages({ test }) {
	const missing = [...buildNeeds, ...(test ? testNeeds : [])].filter((need) => !need.has())
	if (missing.length === 0) return
	const width = Math.max(...missing.map((need) => need.package.length))
	say('Missing on this machine:')
	for (const need of missing) say(`  ${need.package.padEnd(width)}  ${need.why}`)
	const names = missing.map((need) => need.package)
	const install = `apt-get install -y --no-install-recommends ${names.join(' ')}`
	if (!command('apt-get')) {
		throw new ScriptError(
			'this machine has no apt-get, so they cannot be installed from here',
			`install with your package manager what Debian calls: ${names.join(' ')}`,
		)
	}
	if (process.getuid() !== 0) {
		throw new ScriptError(
			'installing packages needs root',
			`sudo sh -c 'apt-get update && ${install}'   and then the same command again`,
		)
	}
	await timed(`installed ${names.length} package${names.length === 1 ? '' : 's'}`, () => installAll(names))
	const still = missing.filter((need) => !need.has())
	if (still.length > 0) {
		throw new ScriptError(
			`apt-get succeeded, yet these are not found: ${still.map((need) => need.package).join(', ')}`,
			'look at the PATH of this shell',
		)
	}
}

async function installAll(names) {
	const env = { DEBIAN_FRONTEND: 'noninteractive' }
	const lock = ['-o', 'DPkg::Lock::Timeout=300']
	const progress = progressLine()
	say('Reading the package lists …')
	await run('apt-get', ['update', ...lock], {
		env,
		fix: "check the machine's network and /etc/apt/sources.list",
	})
	say('Installing …')
	await withoutServices(() =>
		run('apt-get', ['install', '-y', '--no-install-recommends', ...lock, ...names], {
			env,
			onLine: progress,
			fix: `apt-get install -y --no-install-recommends ${names.join(' ')}`,
		}),
	)
	// Tests run nginx themselves on free ports; a test run must not leave a web server behind that starts with the machine.
	if (names.includes('nginx') && command('systemctl')) {
		await run('systemctl', ['disable', 'nginx'], { accept: [0, 1] })
		say('  nginx was installed for tests only: not started, and not enabled as a service')
	}
}

/** While `work` runs, no package may start a daemon (Debian's policy-rc.d). */
async function withoutServices(work) {
	const policy = '/usr/sbin/policy-rc.d'
	if (existsSync(policy)) return work()
	const remove = () => rmSync(policy, { force: true })
	writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
	process.once('exit', remove)
	try {
		return await work()
	} finally {
		remove()
		process.off('exit', remove)
	}
}

/** One line every few seconds, so that nobody thinks it hangs. */
function progressLine() {
	let last = performance.now()
	let count = 0
	return (line) => {
		if (!/^(Unpacking|Setting up)/.test(line)) return
		count++
		if (performance.now() - last < 5000) return
		last = performance.now()
		say(`  … ${line.replace(/ \.\.\.$/, '')} (step ${count})`)
	}
}

/** Whether a program is on the PATH; sbin counts, as it does for root. */
export function command(name) {
	const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
	return folders.some((folder) => folder !== '' && executable(join(folder, name)))
}

function executable(path) {
	try {
		accessSync(path, constants.X_OK)
		return true
	} catch {
		return false
	}
}

function header(name) {
	return existsSync(join('/usr/include', name)) || existsSync(join('/usr/local/include', name))
}
