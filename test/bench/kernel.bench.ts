/**
 * What Vör's programs cost the traced programs, beside the classic pair of syscall tracepoints, in one run:
 * 1. the kernel's own clock over every program (`bpf_stats`) under nginx and a load maker, both attached at once;
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
/** Requests a second: a server with much idle time, whose caches are cold at every request, and a busy one. */
const CALM = 8000
const BUSY = 20_000
const LOAD_ROUNDS = 3
const MICRO_ROUNDS = 30
const loadMaker = await ownLoadMaker()

interface Run {
	readonly program: string
	readonly runCount: number
	readonly runTimeNs: number
}
interface Reading {
	readonly ours: readonly Run[]
	readonly rival: readonly Run[]
	readonly counters: Readonly<Record<string, number>>
}

const sum = (runs: readonly Run[], of: 'runCount' | 'runTimeNs'): number =>
	runs.reduce((total, run) => total + run[of], 0)

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

/** Nanoseconds of each program for one request, less what it spent on others in the same time just before. */
async function underLoad(
	title: string,
	discovery: SelectionSource,
	server: Server,
	rival: Rival,
	empty: BpfObject,
	rate: number,
) {
	const capture = createCapture({
		meter: createAccounting().meter('/', 'bench'),
		processes: createProcessTable({ rules: compileSelection(discovery).rules }),
	})
	let records = 0
	capture.batches.subscribe((batch) => {
		records += batch.records
	})
	await capture.start()
	const links = await rival.attach()
	const draining = setInterval(() => rival.drain(), 20)
	const read = (): Reading => ({
		ours: capture.programs(),
		rival: rival.statistics(),
		counters: capture.counters(),
	})
	const change = (from: readonly Run[], to: readonly Run[]): Run[] =>
		to.map((run, i) => ({
			program: run.program,
			runCount: run.runCount - (from[i]?.runCount ?? 0),
			runTimeNs: run.runTimeNs - (from[i]?.runTimeNs ?? 0),
		}))
	const totals: { ours: number[]; rival: number[]; oursRuns: number[]; rivalRuns: number[] } = {
		ours: [],
		rival: [],
		oursRuns: [],
		rivalRuns: [],
	}
	const programs = new Map<string, { ns: number[]; runs: number[] }>()
	let seen = 0
	let requests = 0
	const emptyBefore = empty.program('empty').stats()
	try {
		await load(server, rate, 1)
		for (let round = 0; round < LOAD_ROUNDS; round++) {
			const quietFrom = read()
			await sleep(1500)
			const from = read()
			const start = performance.now()
			const recordsBefore = records
			const count = await load(server, rate, LOAD_SECONDS)
			await sleep(60)
			const to = read()
			requests += count
			seen += records - recordsBefore
			const scale = (performance.now() - start) / 1500
			const quiet = { ours: change(quietFrom.ours, from.ours), rival: change(quietFrom.rival, from.rival) }
			const busy = { ours: change(from.ours, to.ours), rival: change(from.rival, to.rival) }
			for (const side of ['ours', 'rival'] as const) {
				for (const [i, run] of busy[side].entries()) {
					const other = quiet[side][i] as Run
					let figures = programs.get(`${side} ${run.program}`)
					if (figures === undefined) programs.set(`${side} ${run.program}`, (figures = { ns: [], runs: [] }))
					figures.ns.push((run.runTimeNs - other.runTimeNs * scale) / count)
					figures.runs.push((run.runCount - other.runCount * scale) / count)
				}
				totals[side].push((sum(busy[side], 'runTimeNs') - sum(quiet[side], 'runTimeNs') * scale) / count)
				totals[`${side}Runs`].push(
					(sum(busy[side], 'runCount') - sum(quiet[side], 'runCount') * scale) / count,
				)
			}
		}
	} finally {
		clearInterval(draining)
		await closeAll(links)
		await capture.stop()
	}
	console.log(
		`\n${title} (${requests} requests at ${rate}/s, ${(seen / requests).toFixed(2)} records a request)`,
	)
	for (const [name, { ns, runs }] of programs) {
		if (name.startsWith('ours') && median(runs) > 0.01)
			console.log(
				`  ${name.padEnd(28)} ${median(runs).toFixed(2).padStart(6)} runs  ${median(ns).toFixed(0).padStart(6)} ns a request`,
			)
	}
	const emptyAfter = empty.program('empty').stats()
	const clock = (emptyAfter.runTimeNs - emptyBefore.runTimeNs) / (emptyAfter.runCount - emptyBefore.runCount)
	const [ours, theirs] = [median(totals.ours), median(totals.rival)]
	console.log(
		`  ours, all programs           ${median(totals.oursRuns).toFixed(2).padStart(6)} runs  ${ours.toFixed(0).padStart(6)} ns a request (best round ${quantile(totals.ours, 0).toFixed(0)})`,
	)
	console.log(
		`  syscall tracepoints          ${median(totals.rivalRuns).toFixed(2).padStart(6)} runs  ${theirs.toFixed(0).padStart(6)} ns a request; ours / theirs ${(ours / theirs).toFixed(2)}`,
	)
	const runs = median(totals.oursRuns)
	console.log(
		`  an empty program on the same hook shows ${clock.toFixed(0)} ns a run: ${(clock * runs).toFixed(0)} ns of ours are the kernel's own clock`,
	)
	return ours
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
	for (const rate of [CALM, BUSY]) {
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
