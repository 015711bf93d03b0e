import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { formatHostPort, parseListenAddress } from '../server/listen-address.ts'
import type { TopSnapshot } from '../server/top-snapshot.ts'
import { VorError } from '../util/errors.ts'
import type { CliCommand, CliIo } from './command.ts'
import { drawTop } from './top-table.ts'

const defaultAddress = '127.0.0.1:12345'
/** Own answers are small; a stranger on the port is not read without end. */
const maxAnswerBytes = 16 * 1024 * 1024

export const command: CliCommand = {
	name: 'top',
	summary: 'Show a live table of the services a running Vör sees.',
	usage: `Usage:
  vor top [--address=${defaultAddress}] [--interval=1] [--once] [--json]

  --address   where the running Vör listens (its --server.http.listen-addr)
  --interval  seconds between two tables on a terminal
  --once      print one table and end; the default when the output is no terminal
  --json      print one reading as JSON and end

req/s, errors and quantiles cover the last five seconds, totals the time since Vör started.`,
	async run(argv, io) {
		const { values } = parseArgs({
			args: [...argv],
			options: {
				address: { type: 'string', default: defaultAddress },
				interval: { type: 'string', default: '1' },
				once: { type: 'boolean', default: false },
				json: { type: 'boolean', default: false },
			},
		})
		const interval = Number(values.interval)
		if (!(interval >= 0.1 && interval <= 3600))
			throw new VorError('E_USAGE', `--interval is ${values.interval}, expected 0.1 to 3600 seconds`)
		const { host, port } = parseListenAddress(values.address)
		const url = `http://${formatHostPort(host === '' || host === '0.0.0.0' ? '127.0.0.1' : host, port)}`
		if (values.json) {
			io.stdout.write(`${JSON.stringify(await readTop(url))}\n`)
			return 0
		}
		if (values.once || !io.isTty) {
			// Rates need two readings.
			await readTop(url)
			await sleep(Math.min(interval, 5) * 1000)
			io.stdout.write(`${drawTop(await readTop(url), Number.POSITIVE_INFINITY, 0).join('\n')}\n`)
			return 0
		}
		return live(url, interval * 1000, io)
	},
}

/** One reading of the API. */
export async function readTop(url: string): Promise<TopSnapshot> {
	const response = await fetch(`${url}/api/v0/top`, { signal: AbortSignal.timeout(10_000) }).catch(
		(reason: unknown) => {
			const cause = reason instanceof Error && reason.cause instanceof Error ? reason.cause.message : ''
			throw new VorError('E_FILE', `no Vör answers at ${url}${cause === '' ? '' : ` (${cause})`}`, {
				fix: 'start one with "vor run pipelines/local.alloy", or name its address: --address=HOST:PORT',
				cause: reason,
			})
		},
	)
	const text = await readBounded(response)
	if (!response.ok) throw notVor(url)
	try {
		const snapshot = JSON.parse(text) as TopSnapshot
		if (Array.isArray(snapshot.services)) return snapshot
	} catch {
		// falls through: whatever answered is not ours
	}
	throw notVor(url)
}

async function readBounded(response: Response): Promise<string> {
	const chunks: Uint8Array[] = []
	let length = 0
	for await (const chunk of response.body ?? []) {
		length += chunk.length
		if (length > maxAnswerBytes)
			throw new VorError('E_FILE', 'the answer is too long for a table of services')
		chunks.push(chunk)
	}
	return Buffer.concat(chunks).toString('utf8')
}

function notVor(url: string): VorError {
	return new VorError('E_FILE', `what listens at ${url} is not Vör`, {
		fix: 'name the address of a running Vör: --address=HOST:PORT',
	})
}

/** Redraws in place on the alternate screen until a signal, `q` or the end of the running Vör. */
async function live(url: string, intervalMs: number, io: CliIo): Promise<number> {
	await readTop(url)
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
			const snapshot = await readTop(url)
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
