// Other kernels: `npm run test:vm [-- KERNEL…]` boots distribution kernels under emulation and runs the privileged HTTP tests
// on every attach surface in each. KERNEL is a series (6.12), a major version (7: its newest) or a full release.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createApt } from '../test/vm/host/apt.mjs'
import { benchArguments, benchReport, benchRow } from '../test/vm/host/bench.mjs'
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

/** The guests of a quick run are over by then, and a kernel that would have less time than this is not begun. */
const QUICK_SECONDS = 900
const KERNEL_SECONDS = 75
/** Emulator and kernels are there by then; a slow mirror takes nothing from the guests. */
const FETCH_SECONDS = 900

const HELP = `npm run test:vm [-- [OPTION…] [KERNEL…]]

  KERNEL            5.10, 6.12: the newest of that series; 7: the newest of 7.x; or a full release. Default: ${DEFAULT_KERNELS.join(' ')}
  --quick           for every change: ${QUICK_PLAN.map(({ name, surface }) => `${name} ${surface}`).join(', ')}, fewer paths, ${QUICK_SECONDS / 60} minutes
                    at most, and as many for what must be fetched; skipped where the machine is not amd64
  --all             the newest of every series in the pool
  --bench           no tests: "vor bench" in each guest, with the surfaces that the kernel allows side by side
  --surface NAME    only this one (tp_btf, fexit, kprobe, syscall)
  --update          look for newer kernels than those that were fetched before
  --repeat N        the requests N times on each surface
  --append WORDS    more for the kernel's command line (preempt=full)
  --json PATH       results as JSON (always also beside the kernels, results.json,
                    or bench.json)
  --docs            put the tables into docs/kernels.md, with --bench into docs/overhead.md
  --no-build        take dist/, bpf/.output/ and native/build/ as they are
  --kvm             hardware virtualisation instead of emulation, where it works
  --tests PATH      one entry a cell, as scripts/test.mjs adds them up
  --timeout SECONDS for one kernel; default 900, with --bench 3600`

const OPTIONS = {
	quick: { type: 'boolean', default: false },
	all: { type: 'boolean', default: false },
	bench: { type: 'boolean', default: false },
	surface: { type: 'string', multiple: true },
	update: { type: 'boolean', default: false },
	json: { type: 'string' },
	docs: { type: 'boolean', default: false },
	repeat: { type: 'string' },
	append: { type: 'string', default: '' },
	tests: { type: 'string' },
	'no-build': { type: 'boolean', default: false },
	kvm: { type: 'boolean', default: false },
	timeout: { type: 'string' },
	help: { type: 'boolean', default: false },
}
const MEMORY_MB = 1536
const MATRIX = {
	results: 'results.json',
	page: 'docs/kernels.md',
	begin: '<!-- tables: npm run test:vm -- --docs -->',
	end: '<!-- end of tables -->',
	report,
	redLines,
	good: 'No red cell.',
}
const BENCH = {
	results: 'bench.json',
	page: 'docs/overhead.md',
	begin: '<!-- guests: npm run test:vm -- --bench --docs -->',
	end: '<!-- end of guests -->',
	report: benchReport,
	redLines: (rows) =>
		rows
			.filter(({ problems }) => problems.length > 0)
			.map(({ kernel, problems }) => `${kernel.release}: ${problems.join('\n    ')}`),
	good: 'Every guest was measured.',
}

// By way of 'exit', at which guests end and images go.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

await runScript(async () => {
	const { values, positionals } = arguments_()
	if (values.help) return say(HELP)
	if (!values['no-build']) await setup({ test: false })
	const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vor-test', 'kernels')
	sweepImages(cache)
	const apt = createApt(join(cache, 'apt'))
	if (values.quick) return runQuick(cache, apt, values)
	await ensureEmulator()
	const names = positionals.length > 0 ? positionals : DEFAULT_KERNELS
	const wanted = values.all ? await everySeries(apt) : names
	const kernels = await obtainKernels(wanted, { folder: join(cache, 'images'), apt, update: values.update })
	const rows = []
	for (const kernel of kernels)
		rows.push(await (values.bench ? benchKernel : runKernel)(kernel, cache, values))
	return conclude(rows, cache, values)
})

function arguments_() {
	const fix = 'npm run test:vm -- --help'
	let parsed
	try {
		parsed = parseArgs({ options: OPTIONS, allowPositionals: true })
	} catch (reason) {
		throw new ScriptError(reason.message, fix)
	}
	const { values } = parsed
	for (const name of ['quick', 'repeat', 'tests'])
		if (values.bench && values[name] !== undefined && values[name] !== false)
			throw new ScriptError(`--bench runs no tests: --${name} says nothing to it`, fix)
	for (const name of ['repeat', 'timeout'])
		if (values[name] !== undefined && !(Number(values[name]) >= 1))
			throw new ScriptError(`--${name} is ${values[name]}, expected a number from 1`, fix)
	return parsed
}

async function ensureEmulator() {
	if (process.arch !== 'x64') throw new ScriptError(`the guests are amd64, this machine is ${process.arch}`)
	if (command('qemu-system-x86_64')) return
	const install = 'apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 qemu-system-x86'
	if (!command('apt-get') || process.getuid() !== 0)
		throw new ScriptError('qemu-system-x86_64 is not on the PATH', `sudo ${install}`)
	say('Installing qemu-system-x86, which boots the other kernels …')
	const env = { DEBIAN_FRONTEND: 'noninteractive' }
	const [program, ...args] = install.split(' ')
	await run('apt-get', ['update'], { env })
	await run(program, args, { env, fix: install })
}

/** Of runs that were killed: 120 MB each. */
function sweepImages(cache) {
	for (const name of existsSync(cache) ? readdirSync(cache) : []) {
		const pid = /^initramfs-(\d+)\.cpio/.exec(name)?.[1]
		if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(cache, name), { force: true })
	}
}

/** One surface a kernel. Only a machine of another architecture skips: the guests, amd64, run its own Node and addon. */
async function runQuick(cache, apt, values) {
	const guests = createBudget(QUICK_SECONDS)
	const fetching = createBudget(FETCH_SECONDS)
	const rows = []
	const tests = []
	for (const part of QUICK_PLAN) {
		const started = performance.now()
		const outcome = (status, why) => {
			if (why !== undefined)
				say(`\nLinux ${part.name} ${status === 'skipped' ? 'is skipped' : 'has not run'}: ${why}`)
			const name = `${QUICK_TEST}: Linux ${part.name} by ${part.surface}`
			tests.push({ name, file: 'test/vm', ms: performance.now() - started, status, note: why })
		}
		if (process.arch !== 'x64') {
			outcome('skipped', `the guests are amd64, this machine is ${process.arch}`)
			continue
		}
		let kernel
		try {
			kernel = await fetching.spend(async (left) => {
				await withTimeLeft(ensureEmulator, left)
				const options = { folder: join(cache, 'images'), apt, update: values.update }
				return (await withTimeLeft(() => obtainKernels([part.name], options), left))[0]
			})
		} catch (reason) {
			// Of programs that failed, too; a fault of this script is none of theirs.
			if (reason instanceof TypeError || reason instanceof ReferenceError) throw reason
			const fix = reason.fix ? ` (fix: ${reason.fix})` : ''
			outcome('failed', `kernel or emulator cannot be had: ${reason.message}${fix}`)
			continue
		}
		if (guests.left() < KERNEL_SECONDS) {
			outcome('failed', `${guests.left()} s are left of ${QUICK_SECONDS}`)
			continue
		}
		const row = await guests.spend((left) => runKernel(kernel, cache, { ...values, ...part, timeout: left }))
		rows.push(row)
		outcome(redLines([row]).length === 0 ? 'passed' : 'failed')
	}
	if (values.tests !== undefined) writeFileSync(values.tests, JSON.stringify(tests))
	const isFailed = tests.some(({ status }) => status === 'failed')
	// A fetch that was given up may still be running.
	process.exit(conclude(rows, cache, { ...values, docs: false }) || Number(isFailed))
}

/** Seconds that several tasks share. */
function createBudget(seconds) {
	let leftMs = seconds * 1000
	const left = () => Math.round(leftMs / 1000)
	return {
		left,
		async spend(task) {
			const started = performance.now()
			try {
				return await task(left())
			} finally {
				leftMs -= performance.now() - started
			}
		},
	}
}

/** What is fetched may hang; it is left behind then, and ends with this process. */
function withTimeLeft(task, secondsLeft) {
	let timer
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new ScriptError('it could not be fetched in time')), secondsLeft * 1000)
	})
	return Promise.race([task(), late]).finally(() => clearTimeout(timer))
}

async function runKernel(kernel, cache, values) {
	const { quick, surface, storage, check, repeat = '1', timeout = '900' } = values
	const surfaces = SURFACES.filter(
		(each) =>
			(surface === undefined || surface.includes(each.surface)) &&
			(storage === undefined || storage === each.storage),
	)
	const request = {
		surfaces,
		ways: quick ? QUICK_WAYS : WAYS,
		families: quick ? QUICK_FAMILIES : FAMILIES,
		node: true,
		check,
		repeat: Number(repeat),
		patienceMs: 60_000,
	}
	return judgeBoot(kernel, await bootOnce(kernel, cache, request, { ...values, timeout }), surfaces)
}

async function benchKernel(kernel, cache, values) {
	const { surface = [], timeout = '3600' } = values
	if (!existsSync(join(root, 'dist/bench/load')))
		throw new ScriptError('the load maker in C was not built', 'npm run build, with a C compiler')
	const request = { bench: benchArguments(surface), check: false, surfaces: [] }
	return benchRow(kernel, await bootOnce(kernel, cache, request, { ...values, timeout }))
}

async function bootOnce(kernel, cache, request, { append, kvm, bench, timeout }) {
	say(`\nLinux ${kernel.release} (${kernel.version})`)
	const image = join(cache, `initramfs-${process.pid}.cpio`)
	const remove = () => rmSync(image, { force: true })
	process.once('exit', remove)
	try {
		await writeImage({ path: image, folder: join(cache, 'parts'), kernel, request })
		const result = await boot({
			image,
			kernel: join(kernel.folder, kernel.image),
			consolePath: join(cache, `console-${kernel.release}.txt`),
			kvm,
			byInstructions: bench && !kvm,
			memoryMb: MEMORY_MB,
			timeoutMs: Number(timeout) * 1000,
			append,
			onFinding: progress,
		})
		say(`  done in ${seconds(result.milliseconds)}`)
		return result
	} finally {
		remove()
		process.off('exit', remove)
	}
}

function progress(finding) {
	const { kind, surface, storage } = finding
	const where = surface === undefined || kind === 'check' ? '' : ` ${surface} (${storage})`
	const what =
		kind === 'progress'
			? finding.text
			: kind === 'load'
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

function conclude(rows, cache, { json, docs, bench, kvm }) {
	if (rows.length === 0) return 0
	const kind = bench ? BENCH : MATRIX
	const text = kind.report(rows, { kvm })
	say(`\n${text}`)
	const document = `${JSON.stringify({ date: new Date().toISOString(), rows }, undefined, '\t')}\n`
	for (const path of [join(cache, kind.results), ...(json === undefined ? [] : [resolve(json)])]) {
		mkdirSync(dirname(path), { recursive: true })
		writeFileSync(path, document)
	}
	if (docs) writeDocs(kind, text)
	const red = kind.redLines(rows)
	if (red.length === 0) {
		say(`\n${kind.good}`)
		return 0
	}
	say(`\n${red.length} red:\n  ${red.join('\n  ')}`)
	return 1
}

function writeDocs({ page, begin, end }, text) {
	const path = join(root, page)
	const old = existsSync(path) ? readFileSync(path, 'utf8') : ''
	const [before, after] = [old.indexOf(begin), old.indexOf(end)]
	if (before < 0 || after < before) throw new ScriptError(`${page} has lost its marks ${begin} and ${end}`)
	writeFileSync(path, `${old.slice(0, before + begin.length)}\n\n${text}\n\n${old.slice(after)}`)
	say(`\n${page} is new.`)
}
