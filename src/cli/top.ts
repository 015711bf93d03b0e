import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { VorError } from '../util/errors.ts'
import type { CliCommand, CliIo } from './command.ts'
import { defaultAddress, type Instance, instanceFlags, instanceOf, instanceUsage } from './instance.ts'
import { readTop } from './top-client.ts'
import { drawTop } from './top-table.ts'

export const command: CliCommand = {
	name: 'top',
	summary: 'Show a live table of the services a running Vör sees.',
	usage: `Usage:
  vor top [--address=${defaultAddress} | --url=URL] [--interval=1] [--once] [--json]

  --address   where the running Vör listens (its --server.http.listen-addr)
  --interval  seconds between two tables on a terminal
  --once      print one table and end; the default when the output is no terminal
  --json      print one reading as JSON and end

${instanceUsage}

req/s, errors and quantiles cover the last five seconds, totals the time since Vör started.`,
	async run(argv, io) {
		const { values } = parseArgs({
			args: [...argv],
			options: {
				...instanceFlags,
				interval: { type: 'string', default: '1' },
				once: { type: 'boolean', default: false },
				json: { type: 'boolean', default: false },
			},
		})
		const interval = Number(values.interval)
		if (!(interval >= 0.1 && interval <= 3600))
			throw new VorError('E_USAGE', `--interval is ${values.interval}, expected 0.1 to 3600 seconds`, {
				fix: '--interval=1',
			})
		const instance = instanceOf(values, io.env)
		if (values.json) {
			io.stdout.write(`${JSON.stringify(await readTop(instance))}\n`)
			return 0
		}
		if (values.once || !io.isTty) {
			// Rates need two readings.
			await readTop(instance)
			await sleep(Math.min(interval, 5) * 1000)
			io.stdout.write(`${drawTop(await readTop(instance), Number.POSITIVE_INFINITY, 0).join('\n')}\n`)
			return 0
		}
		return live(instance, interval * 1000, io)
	},
}

/** Redraws in place on the alternate screen until a signal, `q` or the end of the running Vör. */
async function live(instance: Instance, intervalMs: number, io: CliIo): Promise<number> {
	await readTop(instance)
	const stop = new AbortController()
	const end = () => stop.abort()
	const key = (bytes: Buffer) => {
		// Raw mode: Ctrl-C arrives as a byte.
		if (bytes.includes(0x71) || bytes.includes(0x03)) end()
	}
	const raw = process.stdin.isTTY === true
	process.once('SIGINT', end)
	process.once('SIGTERM', end)
	if (raw) {
		process.stdin.setRawMode(true)
		process.stdin.on('data', key)
	}
	io.stdout.write('\u001b[?1049h\u001b[?25l')
	try {
		while (!stop.signal.aborted) {
			const snapshot = await readTop(instance)
			const { columns, rows } = sizeOf(io.stdout)
			const lines = drawTop(snapshot, columns, rows)
			// Home, each line erased to its end, then what is left of an earlier, longer table.
			io.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`)
			await sleep(intervalMs, undefined, { signal: stop.signal }).catch(() => undefined)
		}
		return 0
	} finally {
		io.stdout.write('\u001b[?25h\u001b[?1049l')
		process.removeListener('SIGINT', end)
		process.removeListener('SIGTERM', end)
		if (raw) {
			process.stdin.off('data', key)
			process.stdin.setRawMode(false)
			process.stdin.pause()
		}
	}
}

function sizeOf(stream: NodeJS.WritableStream): { columns: number; rows: number } {
	const { columns, rows } = stream as Partial<{ columns: number; rows: number }>
	return { columns: columns ?? 80, rows: rows ?? 24 }
}
