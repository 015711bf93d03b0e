// Debian's package pool through apt's own clients, with a private configuration: the system's lists, keys and packages are
// neither read for what is installed nor changed. Only the mirror is the machine's own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, ScriptError, say, timed } from '../../../scripts/lib/report.mjs'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** Old releases last: what a newer one also has is the same package. */
const SUITES = ['sid', 'trixie-backports', 'trixie', 'bookworm-backports', 'bookworm', 'bullseye']
const SECURITY_SUITES = ['trixie-security', 'bookworm-security', 'bullseye-security']
/** Lists of packages are read again after so long. */
const LISTS_MAX_AGE_MS = 24 * 3600e3

/** `folder` is ours alone. */
export function createApt(folder) {
	const configuration = join(folder, 'apt.conf')
	const options = { env: { ...process.env, APT_CONFIG: configuration }, encoding: 'utf8' }

	function configure() {
		if (!existsSync(KEYRING)) {
			throw new ScriptError(
				"Debian's archive keys are missing, so its kernels cannot be verified",
				'apt-get install -y debian-archive-keyring',
			)
		}
		const { main, security } = mirrors()
		for (const name of ['lists/partial', 'cache/archives/partial', 'preferences.d'])
			mkdirSync(join(folder, name), { recursive: true })
		writeFileSync(join(folder, 'status'), '')
		const line = (mirror, suite) => `deb [arch=amd64 signed-by=${KEYRING}] ${mirror} ${suite} main\n`
		const lines = SUITES.map((suite) => line(main, suite))
		if (security !== undefined) lines.push(...SECURITY_SUITES.map((suite) => line(security, suite)))
		writeFileSync(join(folder, 'sources.list'), lines.join(''))
		const set = {
			'Dir::State': folder,
			'Dir::State::status': join(folder, 'status'),
			'Dir::Cache': join(folder, 'cache'),
			'Dir::Etc::sourcelist': join(folder, 'sources.list'),
			'Dir::Etc::sourceparts': '/dev/null',
			'Dir::Etc::preferences': '/dev/null',
			'Dir::Etc::preferencesparts': join(folder, 'preferences.d'),
			'APT::Architecture': 'amd64',
			'APT::Architectures': 'amd64',
			'APT::Sandbox::User': 'root',
			'Acquire::Languages': 'none',
			'Acquire::Retries': '3',
			// Releases out of support do not renew their lists; the signatures are checked all the same.
			'Acquire::Check-Valid-Until': 'false',
			'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
			'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled': 'false',
		}
		const text = Object.entries(set).map(([name, value]) => `${name} "${value}";\n`)
		writeFileSync(configuration, text.join(''))
	}

	const names = (prefix) =>
		execFileSync('apt-cache', ['pkgnames', prefix], options).split('\n').filter(Boolean)
	const updated = join(folder, 'updated')
	const listsAreFresh = () => existsSync(updated) && Date.now() - statSync(updated).mtimeMs < LISTS_MAX_AGE_MS

	return {
		/** Reads the lists of packages, unless they were read today. */
		async update(force) {
			if (!force && listsAreFresh()) return
			configure()
			await timed("read Debian's lists of packages", () =>
				// One suite that a mirror has dropped leaves the others usable: 100 is apt's word for it.
				run('apt-get', ['update'], { env: { APT_CONFIG: configuration }, accept: [0, 100] }),
			)
			if (names('linux-image-').length === 0) {
				throw new ScriptError(
					`no list of packages could be read from ${mirrors().main}`,
					"check the machine's network, or VOR_TEST_DEBIAN_MIRROR=<mirror> (any mirror of the Debian archive)",
				)
			}
			writeFileSync(updated, '')
		},
		/** Names of packages that begin so. */
		names,
		/** Version of the one that `download` would take. */
		version: (name) => /^Version: (.*)$/m.exec(execFileSync('apt-cache', ['show', name], options))?.[1] ?? '',
		/** Verified against the signed lists by apt. */
		async download(names, into) {
			mkdirSync(into, { recursive: true })
			say(`  downloading ${names.join(', ')} …`)
			await run('apt-get', ['download', ...names], { cwd: into, env: { APT_CONFIG: configuration } })
			return readdirSync(into)
				.filter((name) => name.endsWith('.deb'))
				.map((name) => join(into, name))
		},
	}
}

/** The mirror that this machine takes Debian packages from. */
function mirrors() {
	const { VOR_TEST_DEBIAN_MIRROR: main, VOR_TEST_DEBIAN_SECURITY_MIRROR: security } = process.env
	if (main !== undefined) return { main, security }
	const found = new Set()
	try {
		const format = ['--format', '$(ORIGIN)|$(LABEL)|$(REPO_URI)']
		for (const line of execFileSync('apt-get', ['indextargets', ...format], { encoding: 'utf8' }).split('\n'))
			found.add(line.trim())
	} catch (reason) {
		throw new ScriptError(`the kernels come through apt, which is not usable here: ${reason.message}`)
	}
	const of = (label, ending) => {
		const lines = [...found].map((line) => line.split('|'))
		// Without lists apt knows no origin yet; the path says it.
		const line = lines.find(([origin, name]) => origin === 'Debian' && name === label)
		return (line ?? lines.find(([origin, , uri]) => origin !== 'Debian' && uri?.endsWith(ending)))?.[2]
	}
	const mirror = of('Debian', '/debian/')
	if (mirror === undefined) {
		throw new ScriptError(
			'no Debian mirror among the apt sources of this machine',
			'VOR_TEST_DEBIAN_MIRROR=<mirror> npm run test:vm   (any mirror of the Debian archive)',
		)
	}
	return { main: mirror, security: of('Debian-Security', '/debian-security/') }
}
