import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, run, startProgram } from './process.ts'
import { freePort } from './programs.ts'

export const mainJs = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

/** A running `vor run` with its own configuration, storage and port. */
export interface Vor extends Program {
	readonly url: string
	readonly folder: string
	metrics(): Promise<string>
	/** What it says that it lost, dropped, did not understand or did not know: every such counter that is not 0. */
	losses(): Promise<string>
	/** Sum of all samples of `name` whose labels contain every one of `labels`. */
	metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
}

const LOSSES =
	/^vor_(component_(dropped|held|received|sent)|kernel_events|fallback|unknown|program_rec|process|malformed)/

/** Starts it and resolves when `/-/ready` says so, which is when the probes are attached. */
export async function startVor(pipeline: string, env: NodeJS.ProcessEnv = {}): Promise<Vor> {
	const folder = mkdtempSync(join(tmpdir(), 'vor-e2e-'))
	const file = join(folder, 'config.alloy')
	writeFileSync(file, pipeline)
	const port = await freePort()
	const program = startProgram(
		process.execPath,
		[mainJs, 'run', file, `--server.http.listen-addr=127.0.0.1:${port}`, `--storage.path=${folder}/data`],
		{ env: { ...process.env, ...env } },
	)
	const url = `http://127.0.0.1:${port}`
	const metrics = async () => (await fetch(`${url}/metrics`)).text()
	const stop = program.stop
	const vor: Vor = Object.assign(program, {
		url,
		folder,
		metrics,
		metric: async (name: string, labels: Readonly<Record<string, string>> = {}) =>
			sumMetric(await metrics(), name, labels),
		losses: async () =>
			(await metrics())
				.split('\n')
				.filter((line) => LOSSES.test(line) && !/ 0$/.test(line))
				.join('\n'),
		async stop(signal?: NodeJS.Signals) {
			const code = await stop(signal)
			rmSync(folder, { recursive: true, force: true })
			return code
		},
	})
	let ended = false
	void program.exited.then(() => {
		ended = true
	})
	const deadline = performance.now() + 60_000
	for (;;) {
		const status = await fetch(`${url}/-/ready`).then(
			(response) => response.status,
			() => 0,
		)
		if (status === 200) return vor
		if (ended || performance.now() > deadline) {
			await vor.stop('SIGKILL')
			throw new Error(`vor did not become ready:\n${program.stdout()}\n${program.stderr()}`)
		}
		await new Promise((resolve) => setTimeout(resolve, 50))
	}
}

/** Runs one command to its end. */
export const runVor = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
	run(process.execPath, [mainJs, ...args], { env: { ...process.env, ...env } })

export function sumMetric(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
	let sum = 0
	for (const line of text.split('\n')) {
		if (!line.startsWith(name)) continue
		const after = line[name.length]
		if (after !== ' ' && after !== '{') continue
		let matches = true
		for (const [key, value] of Object.entries(labels))
			if (!line.includes(`${key}="${value}"`)) matches = false
		if (matches) sum += Number(line.slice(line.lastIndexOf(' ') + 1))
	}
	return sum
}

/** Polls until `check` gives something other than undefined, or fails after `timeoutMs` with what `describe` says. */
export async function eventually<T>(
	check: () => Promise<T | undefined> | T | undefined,
	describe: () => string | Promise<string>,
	timeoutMs = 40_000,
): Promise<T> {
	// Not the wall clock: a machine that was paused steps it.
	const end = performance.now() + timeoutMs
	for (;;) {
		const value = await check()
		if (value !== undefined) return value
		if (performance.now() > end) throw new Error(await describe())
		await new Promise((resolve) => setTimeout(resolve, 100))
	}
}
