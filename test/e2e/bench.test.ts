import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { BenchResult } from '../../src/bench/result.ts'
import { programsOf, stillLoaded } from './support/bpf.ts'
import { run, startProgram } from './support/process.ts'
import { eventually, mainJs, runVor } from './support/vor.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-e2e-bench-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const small = ['--quick', '--pairs=4', '--round-ms=100', '--user-ms=500']

/** It and everything below it. */
function family(pid: number): number[] {
	try {
		const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
		return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => family(Number(child))))]
	} catch {
		return []
	}
}

/** What a run in a temporary folder of its own left behind, once it should be gone. */
async function expectNothingLeft(pids: readonly number[], programs: readonly number[], temporary: string) {
	const left = () => ({
		processes: pids.filter((pid) => family(pid).length > 0 && !isZombie(pid)),
		programs: stillLoaded(programs),
		files: readdirSync(temporary),
	})
	const nothing = JSON.stringify({ processes: [], programs: [], files: [] })
	await eventually(
		() => (JSON.stringify(left()) === nothing ? true : undefined),
		() => `left: ${JSON.stringify(left())}`,
	)
}

const isZombie = (pid: number): boolean => {
	try {
		return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
	} catch {
		return true
	}
}

describe('vor bench', () => {
	it('measures the kernel, the stages and the process, and counts as many requests as were made', {
		timeout: 180_000,
	}, async () => {
		const html = join(folder, 'page.html')
		const temporary = mkdtempSync(join(folder, 'tmp-'))
		const env = { ...process.env, TMPDIR: temporary }
		const bench = startProgram(process.execPath, [mainJs, 'bench', ...small, '--json=-', `--html=${html}`], {
			env,
		})
		await bench.waitFor(/basic case, vor run/, 120_000)
		const pids = family(bench.pid)
		const programs = programsOf(bench.pid)
		expect(programs.length).toBeGreaterThan(5)
		const code = await bench.exited
		expect(code, bench.stderr()).toBe(0)
		const result = JSON.parse(bench.stdout()) as BenchResult
		expect(result).toMatchObject({
			format: 'vor-bench/1',
			command: 'vor bench --quick --pairs=4 --round-ms=100 --user-ms=500',
			settings: { quick: true, pairs: 4, roundMs: 100, userMs: 500 },
			loadMaker: 'c',
		})
		expect(result.surfaces.map(({ letter }) => letter)).toEqual(['A', 'B', 'C', 'D'])
		const loaded = result.surfaces.filter(({ refusal }) => refusal === '')
		const [main, ...more] = loaded.filter((each) => each.main)
		expect(more).toEqual([])
		expect(result.cases).toHaveLength(1)
		const [{ kernel, stages, process: vor }] = result.cases as [BenchResult['cases'][number]]

		// Every surface that loads, and of the first the server's side alone.
		expect(kernel?.sides.map(({ surface, traced }) => [surface, traced])).toEqual([
			[main!.surface, 'client and server'],
			[main!.surface, 'server'],
			...loaded.filter((each) => each !== main).map(({ surface }) => [surface, 'client and server']),
		])
		expect(kernel!.bare.median).toBeGreaterThan(500)
		expect(kernel!.bare.count).toBe(4)
		for (const { extra, programs: each, programsUntold, seenPerRequest, traced } of kernel!.sides) {
			expect(extra.count).toBe(4)
			expect(extra.low).toBeLessThanOrEqual(extra.median)
			expect(extra.high).toBeGreaterThanOrEqual(extra.median)
			expect(extra.high).toBeGreaterThan(0)
			const sides = traced === 'server' ? 1 : 2
			expect(seenPerRequest).toBeGreaterThan(sides * 0.9)
			expect(seenPerRequest).toBeLessThanOrEqual(sides)
			if (each.length === 0) {
				// What other tests do on this machine may hide it, and must be told then.
				expect(programsUntold).toMatch(/^the rest of the machine calls vor_\w+ more often than the load$/)
				continue
			}
			expect(programsUntold).toBe('')
			const ns = each.reduce((sum, { nsPerRequest }) => sum + nsPerRequest, 0)
			expect(ns).toBeGreaterThan(100)
			expect(ns).toBeLessThan(1e6)
		}

		// Both ends of every request became a span, but for what was lost and counted.
		const lost = Object.values(stages!.dropped).reduce((sum, count) => sum + count, 0)
		expect(stages!.spansPerRequest).toBeLessThanOrEqual(2)
		expect(stages!.spansPerRequest * stages!.requests + lost).toBeGreaterThanOrEqual(stages!.requests * 1.99)
		for (const name of ['decode', 'correlate', 'propagate', 'aggregate', 'encode'] as const) {
			expect(stages!.ns[name], name).toBeGreaterThan(0)
			expect(stages!.ns[name], name).toBeLessThan(1e6)
		}

		expect(vor!.countedRequests).toBe(vor!.requests)
		expect(vor!.requests).toBeGreaterThan(1000)
		expect(vor!.rss).toBeGreaterThan(30 << 20)
		expect(vor!.rss).toBeLessThan(1 << 30)
		expect(vor!.rssPeak).toBeGreaterThanOrEqual(vor!.rss)
		expect(vor!.exportedSpans).toBeGreaterThan(0)

		// The snippet of docs/bench.md prints a line for each of them.
		const docs = readFileSync(new URL('../../docs/bench.md', import.meta.url), 'utf8')
		const snippet = /--json=- \| node -e '([^']+)'/.exec(docs)?.[1] ?? ''
		const printed = execFileSync(process.execPath, ['-e', snippet], {
			input: bench.stdout(),
			encoding: 'utf8',
		})
		expect(printed.trimEnd().split('\n')).toHaveLength(kernel!.sides.length)
		expect(printed).toMatch(/^(\w+ (client and server|server) -?\d+ ns\n)+$/)

		const page = readFileSync(html, 'utf8')
		expect(page).toContain(result.machine.kernel)
		expect(page).not.toMatch(/<script|https?:/)
		expect(bench.stderr()).toMatch(/1 of 1: basic case, kernel, about \d+ s left\n/)
		await expectNothingLeft(pids, programs, temporary)
	})

	it.each([
		['SIGINT', 'kernel'],
		['SIGINT', 'stages'],
		['SIGINT', 'vor run'],
		['SIGKILL', 'vor run'],
	] as const)('%s during the part "%s" leaves nothing', { timeout: 120_000 }, async (signal, part) => {
		const temporary = mkdtempSync(join(folder, 'tmp-'))
		const env = { ...process.env, TMPDIR: temporary }
		const args = {
			kernel: ['--pairs=500'],
			stages: ['--pairs=2', '--round-ms=20', '--user-ms=60000'],
			'vor run': ['--pairs=2', '--round-ms=20', '--user-ms=1000'],
		}[part]
		const bench = startProgram(process.execPath, [mainJs, 'bench', '--quick', ...args], { env })
		await bench.waitFor(new RegExp(`basic case, ${part}`), 60_000)
		// Well into it: the vor run is there, or the load goes.
		await eventually(
			() => (family(bench.pid).length >= (part === 'vor run' ? 5 : 4) ? true : undefined),
			() => `only ${family(bench.pid)}`,
		)
		await new Promise((resolve) => setTimeout(resolve, 700))
		const pids = family(bench.pid)
		const programs = pids.flatMap(programsOf)
		expect(programs.length).toBeGreaterThan(5)
		expect(readdirSync(temporary)).toHaveLength(1)
		const code = await bench.stop(signal)
		if (signal === 'SIGINT') {
			expect(code).toBe(1)
			expect(bench.stderr()).toMatch(/stopped; nothing is left attached\n$/)
		}
		expect(bench.stdout()).toBe('')
		await expectNothingLeft(pids, programs, temporary)
	})

	it.each([
		[['--surface=E'], /--surface: "E" is no attach surface\nfix: --surface=A,B,C,D/],
		[['--sizes=big'], /--sizes: "big" is not from 0 to 16777216\nfix: --sizes=1KiB,0,64KiB/],
		[['--pairs=1'], /--pairs is "1", expected 2 to 1000\nfix: --pairs=20/],
		[['--pairs='], /--pairs is "", expected 2 to 1000\nfix: --pairs=20/],
		[['--user-ms=10'], /--user-ms is "10", expected 0, or 200 to 600000\nfix: --user-ms=3000/],
		[['--json='], /cannot write "": it is no name of a file\nfix: /],
		[['--html=-'], /cannot write -: it is no name of a file\nfix: /],
		[['--load-maker=wrk'], /--load-maker is wrk, expected auto, c or node\nfix: /],
		[['--jsno=x'], /Unknown option '--jsno'\nfix: vor bench --help/],
		[['quick'], /vor bench takes no "quick"\nfix: /],
		[['--json=/no/such/folder/x.json'], /cannot write \/no\/such\/folder\/x.json: .*\nfix: /],
		[['--html=/proc'], /cannot write \/proc: it is a folder\nfix: /],
		[['--docs=README.md'], /README.md has no place for the tables\nfix: put the lines/],
	])('%s is refused at once, with what mends it', async (args, message) => {
		const { code, stdout, stderr } = await runVor(['bench', ...args])
		expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
		expect(stderr).toMatch(message)
	})

	it('without privileges it says so and how to get them', async () => {
		const { code, stderr } = await run('setpriv', [
			'--bounding-set=-all',
			'--inh-caps=-all',
			process.execPath,
			mainJs,
			'bench',
			'--quick',
		])
		expect(code).toBe(1)
		expect(stderr).toMatch(/^error: the kernel refuses .*\nfix: run as root/)
	})
})
