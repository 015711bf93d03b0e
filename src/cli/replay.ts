import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createReplay, readRecordingHeader } from '../capture/replay.ts'
import { hostFromRecord } from '../process/index.ts'
import { VorError } from '../util/errors.ts'
import type { CliCommand, CliIo } from './command.ts'
import { createPipelineRuntime, refuseLoad } from './pipeline-runtime.ts'
import { readConfiguration } from './read-configuration.ts'

export const command: CliCommand = {
	name: 'replay',
	summary: 'Run a pipeline on a recording, without root.',
	usage: `Usage:
  vor replay [--log.level=info] FILE PIPELINE

  FILE      what vor record stored
  PIPELINE  a file or folder; its ebpf.ringbuf reads the recording instead of the kernel

Time is the recording's: two runs give the same spans and metrics. Ends when the recording ends and all is sent.`,
	async run(argv, io) {
		const { positionals, values } = parseArgs({
			args: [...argv],
			allowPositionals: true,
			options: {
				'log.level': { type: 'string', default: 'info' },
				'stability.level': { type: 'string', default: 'experimental' },
			},
		})
		const [file, pipeline, ...more] = positionals
		if (file === undefined || pipeline === undefined || more.length > 0) {
			throw new VorError(
				'E_USAGE',
				`vor replay takes a recording and a pipeline, got ${positionals.length} arguments`,
				{
					fix: 'vor replay FILE pipelines/local.alloy',
				},
			)
		}
		return replay(
			file,
			pipeline,
			values['log.level'] as 'info',
			values['stability.level'] as 'experimental',
			io,
		)
	},
}

/** Longest time for what the end of the recording left in queues. */
const flushMs = 30_000

async function replay(
	file: string,
	pipeline: string,
	logLevel: 'info',
	stability: 'experimental',
	io: CliIo,
): Promise<number> {
	const header = readRecordingHeader(file)
	const source = await readConfiguration(pipeline)
	let cut = 0
	const storagePath = mkdtempSync(join(tmpdir(), 'vor-replay-'))
	const { graph, services, accounting, log } = createPipelineRuntime({
		io,
		host: hostFromRecord(header.host),
		storagePath,
		stability,
		logLevel,
		source: () =>
			createReplay(file, ({ ending, lostBatches }) => {
				if (ending === 'cut') cut++
				if (ending === 'cut' || lostBatches > 0)
					log.warn('the recording is not whole', { file, ending, lost_batches: lostBatches })
			}),
	})
	try {
		const loaded = await graph.load(source)
		if (!loaded.ok) return refuseLoad(loaded, io)
		const sources = services.sources.entries()
		if (sources.length === 0) {
			await graph.stop(flushMs)
			throw new VorError(
				'E_CONFIG',
				`${pipeline} has no ebpf.ringbuf or beyla.ebpf: nothing reads the recording`,
				{
					fix: 'vor replay FILE pipelines/local.alloy',
				},
			)
		}
		const ends = await Promise.allSettled(sources.map(([, view]) => view.ended))
		// Stages leave the books when they stop; what they last wrote is still to be read.
		const stages = accounting.totals()
		await graph.stop(flushMs)
		const lost = stages.flatMap((stage) =>
			[...stage.dropped]
				.filter(([, drop]) => !drop.intentional)
				.map(([reason, drop]) => ({ stage, reason, drop })),
		)
		for (const { stage, reason, drop } of lost)
			log.warn('dropped', { component_id: stage.id, reason, count: drop.count })
		// What could be read has been sent by now.
		for (const end of ends) if (end.status === 'rejected') throw end.reason
		log.info('replayed', { file, from: header.vorVersion, cut: cut > 0 })
		return 0
	} finally {
		rmSync(storagePath, { recursive: true, force: true })
	}
}
