import { parseArgs } from 'node:util'
import { createCapture } from '../capture/capture.ts'
import { LAYOUT_HASH } from '../capture/layout.ts'
import { createRecordingWriter } from '../capture/recording-writer.ts'
import { hostToRecord, readHost } from '../process/host.ts'
import { compileSelection } from '../process/selection.ts'
import { createProcessTable } from '../process/table.ts'
import { createAccounting } from '../telemetry/accounting.ts'
import { VorError } from '../util/errors.ts'
import { version } from '../util/version.ts'
import type { CliCommand, CliIo } from './command.ts'

export const command: CliCommand = {
	name: 'record',
	summary: 'Store what the kernel tells in a file, for vor replay.',
	usage: `Usage:
  vor record FILE [--duration=SECONDS] [--ring-bytes=BYTES]

  --duration    end by itself after so many seconds; default: at Ctrl-C
  --ring-bytes  size of the kernel's ring, a power of two

The file holds request targets, hosts, addresses and command lines as they were seen, unredacted. It is readable by its
owner alone (mode 0600).`,
	async run(argv, io) {
		const { values, positionals } = parseArgs({
			args: [...argv],
			options: { duration: { type: 'string' }, 'ring-bytes': { type: 'string' } },
			allowPositionals: true,
		})
		const [path, ...more] = positionals
		if (path === undefined || more.length > 0) {
			throw new VorError('E_USAGE', 'vor record takes one file', { fix: 'vor record FILE' })
		}
		const seconds = positive(values.duration, '--duration')
		const ringBytes = positive(values['ring-bytes'], '--ring-bytes')
		return record(path, seconds, ringBytes, io)
	},
}

async function record(
	path: string,
	seconds: number | undefined,
	ringBytes: number | undefined,
	io: CliIo,
): Promise<number> {
	const say = (text: string): void => void io.stderr.write(`${text}\n`)
	const host = readHost()
	const writer = createRecordingWriter(path, {
		layoutHash: LAYOUT_HASH,
		vorVersion: version(),
		surface: 'tp_btf',
		host: hostToRecord(host),
	})
	const accounting = createAccounting()
	const capture = createCapture({
		meter: accounting.meter('record', 'record'),
		// Everything: the pipeline that replays it has its own discovery.
		processes: createProcessTable({ rules: compileSelection({ defaultExcludeInstrument: [] }).rules }),
		...(ringBytes === undefined ? {} : { ringBytes }),
		notice: (level, message) => say(`${level}: ${message}`),
	})
	capture.batches.subscribe((batch) => void writer.write(batch))
	const ended = stopped(seconds)
	try {
		await capture.start()
		say(
			`recording to ${path}, unredacted, readable by its owner alone; ${seconds ? `${seconds} s` : 'Ctrl-C ends it'}`,
		)
		await ended.promise
	} finally {
		ended.cancel()
		await capture.stop()
		await writer.close()
	}
	const { dropped_ring_full: ringFull = 0 } = capture.counters()
	say(`${writer.batches} batches, ${capture.statistics.records} records, ${writer.bytes} bytes`)
	if (ringFull > 0) say(`${ringFull} records found no room in the ring (their counts are in the file)`)
	if (writer.lostBatches > 0) say(`${writer.lostBatches} batches were lost: the disk is too slow`)
	return writer.lostBatches > 0 ? 1 : 0
}

function stopped(seconds: number | undefined): { promise: Promise<void>; cancel(): void } {
	let cancel = (): void => {}
	const promise = new Promise<void>((resolve) => {
		const done = (): void => resolve()
		const timer = seconds === undefined ? undefined : setTimeout(done, seconds * 1000)
		process.once('SIGINT', done)
		process.once('SIGTERM', done)
		cancel = () => {
			clearTimeout(timer)
			process.off('SIGINT', done)
			process.off('SIGTERM', done)
		}
	})
	return { promise, cancel }
}

function positive(text: string | undefined, flag: string): number | undefined {
	if (text === undefined) return undefined
	const value = Number(text)
	if (!(value > 0))
		throw new VorError('E_USAGE', `${flag} is ${text}, expected a number above 0`, {
			fix: 'vor record --help',
		})
	return value
}
