// Other kernels: `npm run test:vm [-- KERNEL…]` boots distribution kernels under emulation and runs the privileged HTTP tests
// on every attach surface in each. KERNEL is a series (6.12), a major version (7: its newest) or a full release.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createApt } from '../test/vm/host/apt.mjs'
import { writeImage } from '../test/vm/host/image.mjs'
import { judgeBoot, redLines } from '../test/vm/host/judge.mjs'
import {
	DEFAULT_KERNELS,
	everySeries,
	obtainKernels,
	QUICK_PLAN,
	QUICK_TEST,
} from '../test/vm/host/kernels.mjs'
import { boot } from '../test/vm/host/machine.mjs'
import { report } from '../test/vm/host/report.mjs'
import { FAMILIES, QUICK_FAMILIES, QUICK_WAYS, SURFACES, WAYS } from '../test/vm/host/surfaces.mjs'
import { command } from './lib/packages.mjs'
import { root, run, runScript, ScriptError, say, seconds } from './lib/report.mjs'
import { setup } from './setup.mjs'

/** A quick run is over by then, and a kernel that would have less time than this is not begun. */
const QUICK_SECONDS = 900
const KERNEL_SECONDS = 75

const HELP = `npm run test:vm [-- [OPTION…] [KERNEL…]]

  KERNEL            5.10, 6.12: the newest of that series; 7: the newest of 7.x; or a full release. Default: ${DEFAULT_KERNELS.join(' ')}
  --quick           for every change: ${QUICK_PLAN.map(({ name, surface }) => `${name} ${surface}`).join(', ')}, fewer paths, ${QUICK_SECONDS / 60} minutes
                    at most; a kernel that cannot be had is skipped and said so
  --all             the newest of every series in the pool
  --surface NAME    only this one (tp_btf, fexit, kprobe, syscall)
  --update          look for newer kernels than those that were fetched before
  --repeat N        the requests N times on each surface
  --append WORDS    more for the kernel's command line (preempt=full)
  --json PATH       results as JSON (always also beside the kernels, results.json)
  --docs            put the tables into docs/kernels.md
  --no-build        take dist/, bpf/.output/ and native/build/ as they are
  --kvm             hardware virtualisation instead of emulation, where it works
  --tests PATH      one entry a cell, as scripts/test.mjs adds them up
  --timeout SECONDS for one kernel; default 900`

const OPTIONS = {
	quick: { type: 'boolean', default: false },
	all: { type: 'boolean', default: false },
	surface: { type: 'string', multiple: true },
	update: { type: 'boolean', default: false },
	json: { type: 'string' },
	docs: { type: 'boolean', default: false },
	repeat: { type: 'string', default: '1' },
	append: { type: 'string', default: '' },
	tests: { type: 'string' },
	'no-build': { type: 'boolean', default: false },
	kvm: { type: 'boolean', default: false },
	timeout: { type: 'string', default: '900' },
	help: { type: 'boolean', default: false },
}
const MEMORY_MB = 1536
const DOCS = 'docs/kernels.md'
const BEGIN = '<!-- tables: npm run test:vm -- --docs -->'
const END = '<!-- end of tables -->'

await runScript(async () => {
	const { values, positionals } = arguments_()
	if (values.help) return say(HELP)
	if (!values['no-build']) await setup({ test: false })
	const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vor-test', 'kernels')
	const apt = createApt(join(cache, 'apt'))
	if (values.quick) return runQuick(cache, apt, values)
	await ensureEmulator()
	const names = positionals.length > 0 ? positionals : DEFAULT_KERNELS
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
	if (process.arch !== 'x64') throw new ScriptError(`the guests are amd64, this machine is ${process.arch}`)
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

/** One surface a kernel. A kernel or an emulator that cannot be had is no failure of ours. */
async function runQuick(cache, apt, values) {
	const end = performance.now() + QUICK_SECONDS * 1000
	const left = () => Math.round((end - performance.now()) / 1000)
	const rows = []
	const tests = []
	for (const part of QUICK_PLAN) {
		const test = { name: `${QUICK_TEST}: Linux ${part.name} by ${part.surface}`, file: 'test/vm', ms: 0 }
		const skip = (why) => {
			say(`\nLinux ${part.name} is skipped: ${why}`)
			tests.push({ ...test, status: 'skipped' })
		}
		const started = performance.now()
		let kernel
		try {
			await withTimeLeft(ensureEmulator, left())
			const [found] = await withTimeLeft(
				() => obtainKernels([part.name], { folder: join(cache, 'images'), apt, update: values.update }),
				left(),
			)
			kernel = found
		} catch (reason) {
			// Of programs that failed, too; a fault of this script is none of theirs.
			if (reason instanceof TypeError || reason instanceof ReferenceError) throw reason
			skip(reason.message)
			continue
		}
		if (left() < KERNEL_SECONDS) {
			say(`\nLinux ${part.name} has not run: ${left()} s are left of ${QUICK_SECONDS}`)
			tests.push({ ...test, status: 'failed' })
			continue
		}
		const row = await runKernel(kernel, cache, { ...values, ...part, timeout: left() })
		rows.push(row)
		const status = redLines([row]).length === 0 ? 'passed' : 'failed'
		tests.push({ ...test, status, ms: performance.now() - started })
	}
	if (values.tests !== undefined) writeFileSync(values.tests, JSON.stringify(tests))
	// A fetch that was given up may still be running.
	process.exit(conclude(rows, cache, { ...values, docs: false }))
}

/** What is fetched may hang; it is left behind then, and ends with this process. */
function withTimeLeft(task, secondsLeft) {
	let timer
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new ScriptError('it could not be fetched in time')), secondsLeft * 1000)
	})
	return Promise.race([task(), late]).finally(() => clearTimeout(timer))
}

async function runKernel(kernel, cache, { quick, surface, storage, check, repeat, append, kvm, timeout }) {
	say(`\nLinux ${kernel.release} (${kernel.version})`)
	const surfaces = SURFACES.filter(
		(each) =>
			(surface === undefined || surface.includes(each.surface)) &&
			(storage === undefined || storage === each.storage),
	)
	const image = join(cache, `initramfs-${process.pid}.cpio`)
	const request = {
		surfaces,
		ways: quick ? QUICK_WAYS : WAYS,
		families: quick ? QUICK_FAMILIES : FAMILIES,
		node: true,
		check,
		repeat: Number(repeat),
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
			append,
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
	if (rows.length === 0) return 0
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
