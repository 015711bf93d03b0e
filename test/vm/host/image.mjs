// The first file system of a guest: Node with its libraries, the built product, the test programs, a kernel's modules.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
	closeSync,
	existsSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	realpathSync,
	renameSync,
	statSync,
	writevSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root, run } from '../../../scripts/lib/report.mjs'
import { createArchive } from './cpio.mjs'
import { loadedFiles } from './modules.mjs'

const GUEST = join(root, 'test/vm/guest')
/** Root of the checkout in the guest. */
const HOME = '/vor'
/** Of `vor bench`, compiled on the host. */
const LOAD_MAKER = 'dist/bench/load'
const PROGRAMS = [
	{ name: 'init', sources: ['init.c'], libraries: [] },
	{ name: 'mix', sources: ['mix.c', 'io.c'], libraries: [] },
	{ name: 'waiting', sources: ['waiting.c'], libraries: ['-pthread'] },
	{ name: 'insns', sources: ['insns.c'], libraries: ['-lbpf', '-lelf', '-lz'] },
]

/** Writes the image for one kernel to `path`. `folder` keeps what does not change between runs. */
export async function writeImage({ path, folder, kernel, request }) {
	const programs = await compile(folder)
	const parts = [
		readFileSync(nodeArchive(folder)),
		...productArchive(programs, request),
		...kernelArchive(kernel, request),
	]
	writeParts(path, parts)
}

async function compile(folder) {
	const digest = createHash('sha256')
	for (const file of readdirSync(GUEST).filter((name) => /\.[ch]$/.test(name)))
		digest.update(readFileSync(join(GUEST, file)))
	const built = join(folder, 'programs', digest.digest('hex').slice(0, 16))
	for (const { name, sources, libraries } of PROGRAMS) {
		if (existsSync(join(built, name))) continue
		mkdirSync(built, { recursive: true })
		const args = ['-O2', '-Wall', '-static', '-o', join(built, name), ...sources, ...libraries]
		await run('gcc', args, {
			cwd: GUEST,
			fix: 'apt-get install -y gcc libc6-dev libbpf-dev libelf-dev zlib1g-dev',
		})
	}
	return built
}

/** Node is the bulk (100 MB) and the same for every kernel. */
function nodeArchive(folder) {
	const node = realpathSync(process.execPath)
	const addon = join(root, 'native/build/bpf_native_loader.node')
	const load = join(root, LOAD_MAKER)
	const libraries = [
		...new Set([...shared(node), ...shared(addon), ...(existsSync(load) ? shared(load) : [])]),
	]
	const digest = createHash('sha256')
	for (const file of [node, ...libraries]) {
		const { size, mtimeMs } = statSync(file)
		digest.update(`${file} ${size} ${mtimeMs}\n`)
	}
	const path = join(folder, `node-${digest.digest('hex').slice(0, 16)}.cpio`)
	if (!existsSync(path)) {
		const archive = createArchive()
		archive.file('/bin/node', node)
		for (const library of libraries) archive.file(library, realpathSync(library))
		mkdirSync(folder, { recursive: true })
		writeParts(path, archive.end())
	}
	return path
}

function shared(file) {
	const output = execFileSync('ldd', [file], { encoding: 'utf8' })
	return [...output.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path)
}

function productArchive(programs, { bench }) {
	const archive = createArchive()
	archive.device('/dev/console', 5, 1)
	for (const name of ['proc', 'sys', 'tmp', 'modules']) archive.folder(`/${name}`)
	archive.file('/init', join(programs, 'init'))
	for (const role of ['client', 'server', 'upstream']) archive.file(`/bin/mix-${role}`, join(programs, 'mix'))
	archive.file('/bin/mix-waiting', join(programs, 'waiting'))
	archive.file('/bin/mix-insns', join(programs, 'insns'))
	const files = new Set(loadedFiles())
	for (const name of ['main.mjs', 'bench.mjs', 'node-program.mjs']) files.add(join(GUEST, name))
	if (bench !== undefined) {
		for (const name of ['main.js', 'bench/guard.js']) files.add(join(root, 'dist', name))
		const bundle = join(root, 'dist/bundle')
		for (const name of readdirSync(bundle)) files.add(join(bundle, name))
		archive.file(join(HOME, LOAD_MAKER), join(root, LOAD_MAKER))
	}
	const objects = join(root, 'bpf/.output')
	for (const name of readdirSync(objects)) if (name.endsWith('.bpf.o')) files.add(join(objects, name))
	for (const file of [...files]) for (const manifest of manifestsAbove(file)) files.add(manifest)
	for (const file of [...files].sort()) archive.file(join(HOME, relative(root, file)), file, 0o644)
	archive.link(join(HOME, 'node_modules/bpf-native-loader'), '../native')
	return archive.end()
}

/** package.json files between a file and the root: they say what kind of module it is. */
function manifestsAbove(file) {
	const found = []
	for (let folder = dirname(file); folder.length >= root.length - 1; folder = dirname(folder)) {
		const manifest = join(folder, 'package.json')
		if (existsSync(manifest)) found.push(manifest)
	}
	return found
}

function kernelArchive(kernel, request) {
	const archive = createArchive()
	for (const module of kernel.modules)
		archive.file(join('/modules', module), join(kernel.folder, module), 0o644)
	archive.text(join(HOME, 'request.json'), JSON.stringify(request))
	return archive.end()
}

/** Whole or not at all. */
function writeParts(path, parts) {
	const temporary = `${path}.${process.pid}.tmp`
	const file = openSync(temporary, 'w')
	for (let at = 0; at < parts.length; at += 512) writevSync(file, parts.slice(at, at + 512))
	closeSync(file)
	renameSync(temporary, path)
}
