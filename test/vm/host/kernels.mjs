// Kernels of the matrix: which there are, which are wanted, and where they lie once fetched.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run, ScriptError, say, timed } from '../../../scripts/lib/report.mjs'

/** What a run without names takes; `7` is the newest of 7.x. */
export const DEFAULT_KERNELS = ['5.10', '6.1', '6.12', '7']
/** What its results are called among the tests, before kernel and surface. */
export const QUICK_TEST = 'the kernel matrix, the quick part'
/** For every change: the forms for old kernels, the oldest that takes the newer ones, the newest; one surface each. */
export const QUICK_PLAN = [
	{ name: '7', surface: 'tp_btf', storage: 'socket', check: true },
	{ name: '6.1', surface: 'fexit', storage: 'auto', check: true },
	// Not `vor check`, which would verify the forms of two surfaces more: a minute of this emulated kernel each.
	{ name: '5.10', surface: 'syscall', storage: 'auto', check: false },
]

/** Kernel TLS and the ciphers it asks for. The loopback, unix sockets and io_uring are built in. */
const MODULES =
	/\/(tls|gcm|ctr|crypto_null|gf128mul|libgf128mul|ghash-generic|aesni-intel|crypto_simd|cryptd|libaes)\.ko(\.xz|\.zst)?$/
/** With a release: without one it is only a name for the newest. */
const IMAGE = /^linux-image-(\d+\.\d+)([.-]\S+)-amd64$/

/**
 * Resolves names ('6.12', '7', a full release) to kernels that lie in `folder`:
 * { series, release, version, folder, image, modules }. Network only for what is not there, or with `update`.
 */
export async function obtainKernels(wanted, { folder, apt, update }) {
	const kernels = []
	let catalog
	for (const name of wanted) {
		let kernel = update ? undefined : cached(folder, name)
		if (kernel === undefined) {
			if (catalog === undefined) {
				await apt.update(update)
				catalog = readCatalog(apt)
			}
			kernel = await fetchNewest(candidates(catalog, name), { folder, apt })
		}
		kernels.push(kernel)
	}
	return kernels
}

/** The newest of every series in the pool. */
export async function everySeries(apt) {
	await apt.update(false)
	return [...new Set(readCatalog(apt).map(({ series }) => series))].sort(byNumbers)
}

function readCatalog(apt) {
	const found = []
	for (const name of apt.names('linux-image-')) {
		const match = IMAGE.exec(name)
		if (match === null || /-(rt|cloud)$/.test(match[2])) continue
		found.push({ name, series: match[1], release: `${match[1]}${match[2]}-amd64` })
	}
	return found
}

const numbersOf = (text) => text.split(/\D+/).filter(Boolean).map(Number)

function byNumbers(a, b) {
	const left = numbersOf(a)
	const right = numbersOf(b)
	for (let i = 0; i < Math.max(left.length, right.length); i++) {
		const difference = (left[i] ?? -1) - (right[i] ?? -1)
		if (difference !== 0) return difference
	}
	return 0
}

const matches = (kernel, name) =>
	kernel.release === name ||
	kernel.series === name ||
	(/^\d+$/.test(name) && kernel.series.startsWith(`${name}.`))

/** Newest first. */
function candidates(catalog, name) {
	const found = catalog.filter((kernel) => matches(kernel, name))
	if (found.length === 0) {
		const series = [...new Set(catalog.map((kernel) => kernel.series))].sort(byNumbers)
		throw new ScriptError(`no kernel ${name} in the pool; there are ${series.join(', ')}`)
	}
	return found.sort((a, b) => byNumbers(b.release, a.release))
}

/** A mirror's lists may be ahead of its pool: then the one before is taken, and said so. */
async function fetchNewest(found, options) {
	for (const [i, kernel] of found.entries()) {
		try {
			return await fetchKernel(kernel, options)
		} catch (reason) {
			if (i + 1 === found.length) throw reason
			say(
				`  ${kernel.release} is not to be had: ${reason.message.split('\n').find((line) => line.includes('404')) ?? reason.message}`,
			)
		}
	}
	throw new ScriptError('no kernel to try')
}

function cached(folder, name) {
	if (!existsSync(folder)) return undefined
	return readdirSync(folder)
		.map((release) => join(folder, release, 'kernel.json'))
		.filter((path) => existsSync(path))
		.map((path) => ({ ...JSON.parse(readFileSync(path, 'utf8')), folder: join(path, '..') }))
		.filter((kernel) => matches(kernel, name))
		.sort((a, b) => byNumbers(a.release, b.release))
		.at(-1)
}

async function fetchKernel({ name, series, release }, { folder, apt }) {
	const home = join(folder, release)
	if (existsSync(join(home, 'kernel.json'))) return cached(folder, release)
	const temporary = join(folder, `.${release}.${process.pid}`)
	rmSync(temporary, { recursive: true, force: true })
	mkdirSync(join(temporary, 'tree'), { recursive: true })
	try {
		// Newer packages are split: the image in one, the modules in another.
		const split = apt.names(`linux-binary-${release}`).includes(`linux-binary-${release}`)
		const packages = split ? [`linux-binary-${release}`, `linux-modules-${release}`] : [name]
		const archives = await apt.download(packages, join(temporary, 'deb'))
		await timed(`unpacked ${release}`, async () => {
			for (const archive of archives)
				await run('dpkg-deb', ['--extract', archive, join(temporary, 'tree')], {
					fix: 'apt-get install -y dpkg',
				})
		})
		const files = readdirSync(join(temporary, 'tree'), { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => join(entry.parentPath, entry.name))
		const image = files.find((path) => /\/vmlinuz[^/]*$/.test(path))
		if (image === undefined) throw new ScriptError(`${packages.join(', ')} hold no kernel image`)
		renameSync(image, join(temporary, 'vmlinuz'))
		const modules = files.filter((path) => MODULES.test(path)).map((path) => unpack(path, temporary))
		for (const part of ['tree', 'deb']) rmSync(join(temporary, part), { recursive: true })
		const kernel = { series, release, version: apt.version(packages[0]), image: 'vmlinuz', modules }
		writeFileSync(join(temporary, 'kernel.json'), `${JSON.stringify(kernel, undefined, '\t')}\n`)
		rmSync(home, { recursive: true, force: true })
		renameSync(temporary, home)
		say(`  ${release} (${kernel.version}) is ready`)
		return { ...kernel, folder: home }
	} finally {
		rmSync(temporary, { recursive: true, force: true })
	}
}

/** Modules travel unpacked: the kernel's own unpacking is an option that not every one has. */
function unpack(path, into) {
	const name = basename(path).replace(/\.(xz|zst)$/, '')
	const [tool] = path.endsWith('.xz') ? ['xz'] : path.endsWith('.zst') ? ['zstd'] : ['cat']
	const args = tool === 'cat' ? [path] : ['-dc', path]
	writeFileSync(join(into, name), execFileSync(tool, args, { maxBuffer: 64 << 20 }))
	return name
}
