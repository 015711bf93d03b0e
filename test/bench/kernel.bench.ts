/**
 * What Vör's programs cost the traced programs, beside the classic pair of syscall tracepoints, in one run:
 * 1. the kernel's own clock over every program (`bpf_stats`) under nginx and a load maker, in rounds of ours and the rival by
 *    turns: each is alone, as it is with a user, because programs that run one after the other push each other out of caches;
 * 2. a microbenchmark whose rounds alternate nothing / ours / rival: paired differences, so that the machine's drift and
 *    its other work hit all three alike. It also sees what the clock of 1 does not: the way to the program.
 * `npm run bench -- kernel`
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type BpfLink, type BpfObject, enableStats } from 'bpf-native-loader'
import { pairedRounds, type Side } from '../../src/bench/paired.ts'
import { median, quantile } from '../../src/bench/statistics.ts'
import { createCapture } from '../../src/capture/index.ts'
import { type KernelObject, loadKernelObject } from '../../src/capture/kernel-object.ts'
import { compileSelection, type SelectionSource } from '../../src/process/selection.ts'
import { createProcessTable } from '../../src/process/table.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { startProgram } from '../e2e/support/process.ts'
import { type Server, startNginx } from '../e2e/support/programs.ts'
import './support/children.ts'
import { onlyServer, ownLoadMaker } from './support/load.ts'
import { type Micro, startMicro } from './support/micro.ts'
import { buildMicro, loadEmpty, loadRival, type Rival } from './support/rival.ts'
import { machine, medianError, verdict } from './support/statistics.ts'

const LOAD_SECONDS = 3
/** Requests a second: a server with much idle time, whose caches are cold at every request, a busy one, and one that has no rest. */
const CALM = 8000
const BUSY = 20_000
const FULL = 0
const QUIET_MS = 1000
const LOAD_ROUNDS = 3
const MICRO_ROUNDS = 30
const loadMaker = await ownLoadMaker()

interface Run {
	readonly program: string
	readonly runCount: number
	readonly runTimeNs: number
}
/** A perf event takes up to 60 ms to detach: all at once, off the main thread. */
const closeAll = async (links: readonly BpfLink[]): Promise<void> => {
	await Promise.all(links.map((link) => link.closeAsync()))
}

/** Requests of `seconds` of load, as the load maker counted them; all must have been answered. */
async function load(server: Server, rate: number, seconds: number): Promise<number> {
	const maker = startProgram(loadMaker, [String(server.port), '32', String(rate), String(seconds), '/'])
	await maker.exited
	const match = maker.stdout().match(/completed (\d+) errors 0/)
	if (match === null) throw new Error(`load failed: ${maker.stdout()}${maker.stderr()}`)
	return Number(match[1])
}

/** One of the two while it is attached. */
interface Attached {
	readonly programs: () => readonly Run[]
	/** Records it has brought to user space so far. */
	readonly records: () => number
	readonly detach: () => Promise<void>
}

async function attachOurs(discovery: SelectionSource): Promise<Attached> {
	const capture = createCapture({
		meter: createAccounting().meter('/', 'bench'),
		processes: createProcessTable({ rules: compileSelection(discovery).rules }),
	})
	let records = 0
	capture.batches.subscribe((batch) => {
		records += batch.records
	})
	await capture.start()
	return { programs: () => capture.programs(), records: () => records, detach: () => capture.stop() }
}

async function attachRival(rival: Rival): Promise<Attached> {
	const links = await rival.attach()
	const draining = setInterval(() => rival.drain(), 20)
	return {
		programs: () => rival.statistics(),
		records: () => 0,
		async detach() {
			clearInterval(draining)
			await closeAll(links)
		},
	}
}

interface Round {
	readonly requests: number
	readonly records: number
	/** For one request, by program. */
	readonly programs: readonly { readonly program: string; readonly ns: number; readonly runs: number }[]
}

/** What the programs spend on one request, less what they spent on others in the same time just before. */
async function round(server: Server, rate: number, attached: Attached): Promise<Round> {
	try {
		await load(server, rate, 1)
		const before = attached.programs()
		await sleep(QUIET_MS)
		const from = attached.programs()
		const start = performance.now()
		const recordsBefore = attached.records()
		const requests = await load(server, rate, LOAD_SECONDS)
		await sleep(60)
		const to = attached.programs()
		const scale = (performance.now() - start) / QUIET_MS
		const each = (i: number, of: 'runCount' | 'runTimeNs'): number => {
			const [a, b, c] = [before[i]?.[of] ?? 0, from[i]?.[of] ?? 0, to[i]?.[of] ?? 0]
			return (c - b - (b - a) * scale) / requests
		}
		return {
			requests,
			records: attached.records() - recordsBefore,
			programs: to.map(({ program }, i) => ({
				program,
				ns: each(i, 'runTimeNs'),
				runs: each(i, 'runCount'),
			})),
		}
	} finally {
		await attached.detach()
	}
}

/** Prints a table of nanoseconds of each program for one request; returns those of all of ours. */
async function underLoad(
	title: string,
	discovery: SelectionSource,
	server: Server,
	rival: Rival,
	empty: BpfObject,
	rate: number,
): Promise<number> {
	const ours: Round[] = []
	const theirs: Round[] = []
	let [clockNs, clockRuns] = [0, 0]
	for (let i = 0; i < LOAD_ROUNDS; i++) {
		ours.push(await round(server, rate, await attachOurs(discovery)))
		theirs.push(await round(server, rate, await attachRival(rival)))
		const link = await empty.program('empty').attach()
		const before = empty.program('empty').stats()
		await load(server, rate, 1)
		const after = empty.program('empty').stats()
		await closeAll([link])
		clockNs += after.runTimeNs - before.runTimeNs
		clockRuns += after.runCount - before.runCount
	}
	const totals = (rounds: readonly Round[], of: 'ns' | 'runs'): number[] =>
		rounds.map(({ programs }) => programs.reduce((total, program) => total + program[of], 0))
	const figures = (runs: number, ns: number): string =>
		`${runs.toFixed(2).padStart(6)} runs  ${ns.toFixed(0).padStart(6)} ns a request`
	const requests = ours.reduce((total, { requests }) => total + requests, 0)
	const records = ours.reduce((total, { records }) => total + records, 0)
	const pace = rate === FULL ? 'as fast as it goes' : `${rate}/s`
	console.log(
		`\n${title} (${requests} requests, ${pace}, ${(records / requests).toFixed(2)} records a request)`,
	)
	for (const [i, { program }] of (ours[0] as Round).programs.entries()) {
		const of = (what: 'ns' | 'runs'): number => median(ours.map(({ programs }) => programs[i]?.[what] ?? 0))
		if (of('runs') > 0.01) console.log(`  ours ${program.padEnd(23)} ${figures(of('runs'), of('ns'))}`)
	}
	const [all, others] = [median(totals(ours, 'ns')), median(totals(theirs, 'ns'))]
	const runs = median(totals(ours, 'runs'))
	console.log(
		`  ours, all programs           ${figures(runs, all)} (best round ${quantile(totals(ours, 'ns'), 0).toFixed(0)})`,
	)
	console.log(
		`  syscall tracepoints          ${figures(median(totals(theirs, 'runs')), others)}; ours / theirs ${(all / others).toFixed(2)}`,
	)
	const clock = clockNs / clockRuns
	console.log(
		`  an empty program on the same hook shows ${clock.toFixed(0)} ns a run: ${(clock * runs).toFixed(0)} ns of ours are the kernel's own clock`,
	)
	return all
}

/** Rounds alternate nothing, ours, rival, and back. */
async function pairs(kind: string, calls: number, ours: KernelObject, rival: Rival): Promise<void> {
	const micro: Micro = startMicro(await buildMicro(), kind, 3 * MICRO_ROUNDS + 3, calls)
	const ring = ours.object.map('vor_ring').ring()
	const processRing = ours.object.map('vor_process_ring').ring()
	const into = new Uint8Array(1 << 20)
	const drain = (): void => {
		for (const each of [ring, processRing]) {
			do each.drain(into)
			while (each.more)
		}
		rival.drain()
	}
	let links: BpfLink[] = []
	const side = (attach: () => Promise<BpfLink[]>): Side => ({
		async attach() {
			links = await attach()
		},
		async detach() {
			await closeAll(links)
			drain()
		},
	})
	for (let i = 0; i < 3; i++) await micro.round()
	const { bare, extra } = await pairedRounds(
		MICRO_ROUNDS,
		[side(() => ours.attach()), side(() => rival.attach())],
		() => micro.round(),
	)
	micro.stop()
	ring.close()
	processRing.close()
	const show = (values: readonly number[] = []) =>
		`${median(values).toFixed(0).padStart(6)} ± ${medianError(values).toFixed(0).padStart(3)} (p10 ${quantile(values, 0.1).toFixed(0)})`
	console.log(
		`  ${kind.padEnd(8)} bare ${median(bare).toFixed(0).padStart(6)} ns   ours + ${show(extra[0])}   rival + ${show(extra[1])}`,
	)
}

console.log(machine())
const statistics = enableStats()
const rival = await loadRival()
const empty = await loadEmpty()
const server = await startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }')
try {
	const both: SelectionSource = { instrument: [onlyServer(server), { exePath: loadMaker }] }
	for (const rate of [FULL, BUSY, CALM]) {
		const together = await underLoad('both sides traced', both, server, rival, empty, rate)
		console.log(`  client and server together: ${verdict(together, 2400, 3000)}`)
	}
	const serverOnly: SelectionSource = { instrument: [onlyServer(server)] }
	const alone = await underLoad(
		'only nginx traced, the load maker rejected',
		serverOnly,
		server,
		rival,
		empty,
		CALM,
	)
	console.log(`  server side, with what rejecting the client costs: ${verdict(alone, 1200, 3000)}`)
	const nobody: SelectionSource = { instrument: [{ exePath: '/nowhere' }] }
	const rejected = await underLoad('nothing traced, all rejected', nobody, server, rival, empty, CALM)
	console.log(
		`  server side alone: ${(alone - rejected / 2).toFixed(0)} ns; rejecting one side: ${(rejected / 2).toFixed(0)} ns`,
	)
} finally {
	statistics.close()
	empty.close()
	await server.stop()
}

console.log(`\nmicrobenchmark, ns: http and unix an exchange (4 socket calls, both sides), file 3 calls, getppid 1 call
  (median of ${MICRO_ROUNDS} paired differences ± half of its 95 % interval; statistics of the kernel off)`)
const ours = await loadKernelObject({})
await pairs('http', 6000, ours, rival)
await pairs('unix', 6000, ours, rival)
await pairs('file', 100_000, ours, rival)
await pairs('getppid', 300_000, ours, rival)
ours.object.close()
rival.close()
