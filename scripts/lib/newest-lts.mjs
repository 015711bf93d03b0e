import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, ScriptError, timed } from './report.mjs'

/**
 * Path of the newest long-term-support Node.js, out of the npm package that holds the binary. It is kept in .cache and is
 * never a dependency: its `node` would shadow the system's in npm scripts. Whether a release is LTS the binary itself says.
 */
export async function newestLts() {
	const name = `node-linux-${process.arch}`
	const { output } = await run('npm', ['view', name, 'versions', '--json', '--loglevel=error'])
	const newest = new Map()
	for (const version of JSON.parse(output)) {
		const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)
		if (match === null || Number(match[1]) % 2 !== 0) continue
		const rank = Number(match[2]) * 1e4 + Number(match[3])
		const known = newest.get(Number(match[1]))
		if (known === undefined || known.rank < rank) newest.set(Number(match[1]), { version, rank })
	}
	for (const major of [...newest.keys()].sort((a, b) => b - a)) {
		const { version } = newest.get(major)
		const binary = await fetched(name, version)
		const lts = await run(binary, ['-p', 'process.release.lts ?? ""'])
		if (lts.output.trim() !== '') return { binary, version, codename: lts.output.trim() }
	}
	throw new ScriptError(`no LTS release among the versions of ${name}`)
}

async function fetched(name, version) {
	const folder = join(root, '.cache/node', version)
	const binary = join(folder, 'package/bin/node')
	if (existsSync(binary)) return binary
	const part = `${folder}.part`
	rmSync(part, { recursive: true, force: true })
	mkdirSync(part, { recursive: true })
	await timed(`fetched Node.js ${version}`, async () => {
		const packed = await run('npm', [
			'pack',
			`${name}@${version}`,
			'--json',
			'--loglevel=error',
			`--pack-destination=${part}`,
		])
		const [{ filename }] = JSON.parse(packed.output)
		await run('tar', ['-xzf', join(part, filename), '-C', part])
		rmSync(join(part, filename))
	})
	rmSync(folder, { recursive: true, force: true })
	renameSync(part, folder)
	const { bin } = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8'))
	const path = join(folder, 'package', typeof bin === 'string' ? bin : (bin?.node ?? 'bin/node'))
	if (path !== binary) throw new ScriptError(`${name}@${version} holds its node at ${path}, not at ${binary}`)
	return binary
}
