// Other kernels: `npm run test:vm [-- KERNEL…]` boots distribution kernels under emulation and runs the privileged HTTP tests
// on every attach surface in each. KERNEL is a series (6.12), a major version (7: its newest) or a full release.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createApt } from '../test/vm/host/apt.mjs'
import { writeImage } from '../test/vm/host/image.mjs'
import { judgeBoot, redLines } from '../test/vm/host/judge.mjs'
import { DEFAULT_KERNELS, everySeries, obtainKernels, QUICK_KERNELS } from '../test/vm/host/kernels.mjs'
import { boot } from '../test/vm/host/machine.mjs'
import { report } from '../test/vm/host/report.mjs'
import { FAMILIES, QUICK_FAMILIES, QUICK_WAYS, SURFACES, WAYS } from '../test/vm/host/surfaces.mjs'
import { command } from './lib/packages.mjs'
import { root, run, runScript, ScriptError, say, seconds } from './lib/report.mjs'
import { setup } from './setup.mjs'

const HELP = `npm run test:vm [-- [OPTION…] [KERNEL…]]

  KERNEL            5.10, 6.12: the newest of that series; 7: the newest of 7.x; or a full release. Default: ${DEFAULT_KERNELS.join(' ')}
  --quick           ${QUICK_KERNELS.join(' and ')}, fewer paths: for every change
  --all             the newest of every series in the pool
  --surface NAME    only this one (tp_btf, fexit, kprobe, syscall)
  --update          look for newer kernels than those that were fetched before
  --json PATH       results as JSON (always also beside the kernels, results.json)
  --docs            put the tables into docs/kernels.md
  --no-build        take dist/, bpf/.output/ and native/build/ as they are
  --kvm             hardware virtualisation instead of emulation, where it works
  --timeout SECONDS for one kernel; default 300`

const OPTIONS = {
	quick: { type: 'boolean', default: false },
	all: { type: 'boolean', default: false },
	surface: { type: 'string', multiple: true },
	update: { type: 'boolean', default: false },
	json: { type: 'string' },
	docs: { type: 'boolean', default: false },
	'no-build': { type: 'boolean', default: false },
	kvm: { type: 'boolean', default: false },
	timeout: { type: 'string', default: '300' },
	help: { type: 'boolean', default: false },
}
const MEMORY_MB = 1536
const DOCS = 'docs/kernels.md'
const BEGIN = '<!-- tables: npm run test:vm -- --docs -->'
const END = '<!-- end of tables -->'

await runScript(async () => {
	const { values, positionals } = arguments_()
	if (values.help) return say(HELP)
	if (process.arch !== 'x64') throw new ScriptError(`the guests are amd64, this machine is ${process.arch}`)
	if (!values['no-build']) await setup({ test: false })
	await ensureEmulator()
	const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vor-test', 'kernels')
	const apt = createApt(join(cache, 'apt'))
	const names = positionals.length > 0 ? positionals : values.quick ? QUICK_KERNELS : DEFAULT_KERNELS
	const wanted = values.all ? await everySeries(apt) : names
	const kernels = await obtainKernels(wanted, { folder: join(cache, 'images'), apt, update: values.update })
	const rows = []
	for (const kernel of kernels) rows.push(await runKernel(kernel, cache, values))
	return conclude(rows, cache, values)
})

function arguments_() {
	try {
		return parseArgs({ options: OPTIONS, allowPositionals: true })
	} catch (reason) {
		throw new ScriptError(reason.message, 'npm run test:vm -- --help')
	}
}

async function ensureEmulator() {
	if (command('qemu-system-x86_64')) return
	const install = 'apt-get install -y --no-install-recommends qemu-system-x86'
	if (!command('apt-get') || process.getuid() !== 0)
		throw new ScriptError('qemu-system-x86_64 is not on the PATH', `sudo ${install}`)
	say('Installing qemu-system-x86, which boots the other kernels …')
	const env = { DEBIAN_FRONTEND: 'noninteractive' }
	const [program, ...args] = install.split(' ')
	await run('apt-get', ['update'], { env })
	await run(program, args, { env, fix: install })
}

async function runKernel(kernel, cache, { quick, surface, kvm, timeout }) {
	say(`\nLinux ${kernel.release} (${kernel.version})`)
	const surfaces = SURFACES.filter((each) => surface === undefined || surface.includes(each.surface))
	const image = join(cache, `initramfs-${process.pid}.cpio`)
	const request = {
		surfaces,
		ways: quick ? QUICK_WAYS : WAYS,
		families: quick ? QUICK_FAMILIES : FAMILIES,
		node: true,
		patienceMs: 60_000,
	}
	try {
		await writeImage({ path: image, folder: join(cache, 'parts'), kernel, request })
		const result = await boot({
			image,
			kernel: join(kernel.folder, kernel.image),
			consolePath: join(cache, `console-${kernel.release}.txt`),
			kvm,
			memoryMb: MEMORY_MB,
			timeoutMs: Number(timeout) * 1000,
			onFinding: progress,
		})
		const row = judgeBoot(kernel, result, surfaces)
		say(`  done in ${seconds(result.milliseconds)}`)
		return row
	} finally {
		rmSync(image, { force: true })
	}
}

function progress(finding) {
	const { kind, surface, storage } = finding
	const where = surface === undefined || kind === 'check' ? '' : ` ${surface} (${storage})`
	const what =
		kind === 'load'
			? (finding.absent ??
				finding.refused?.message ??
				finding.raw?.refusals.map(({ message }) => message).join('; ') ??
				'loads')
			: kind === 'refused' || kind === 'broken'
				? finding.refused.message
				: kind === 'check'
					? (finding.items?.find(({ status }) => status === 'fail')?.detail ?? 'Vör can run here')
					: ''
	say(`  ${String(finding.seconds).padStart(6)} s  ${kind}${where}${what === '' ? '' : `: ${what}`}`)
}

function conclude(rows, cache, { json, docs }) {
	const text = report(rows)
	say(`\n${text}`)
	const document = `${JSON.stringify({ date: new Date().toISOString(), rows }, undefined, '\t')}\n`
	for (const path of [join(cache, 'results.json'), ...(json === undefined ? [] : [resolve(json)])]) {
		mkdirSync(dirname(path), { recursive: true })
		writeFileSync(path, document)
	}
	if (docs) writeDocs(text)
	const red = redLines(rows)
	if (red.length === 0) {
		say('\nNo red cell.')
		return 0
	}
	say(`\n${red.length} red:\n  ${red.join('\n  ')}`)
	return 1
}

function writeDocs(text) {
	const path = join(root, DOCS)
	const page = existsSync(path) ? readFileSync(path, 'utf8') : ''
	const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)]
	if (before < 0 || after < before) throw new ScriptError(`${DOCS} has lost its marks ${BEGIN} and ${END}`)
	writeFileSync(path, `${page.slice(0, before + BEGIN.length)}\n\n${text}\n\n${page.slice(after)}`)
	say(`\n${DOCS} is new.`)
}
