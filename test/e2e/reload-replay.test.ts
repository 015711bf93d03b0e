import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { Subject } from 'rxjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPipelineRuntime } from '../../src/cli/pipeline-runtime.ts'
import type { RawBatch } from '../../src/model/batch.ts'
import { readHost } from '../../src/process/index.ts'
import { readBatches, recorded } from '../helpers/recording.ts'
import { stages } from './support/pipelines.ts'

const reloads = 200

describe('reloads under a replayed recording', () => {
	let folder: string
	let batches: RawBatch[]

	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), 'vor-reload-replay-'))
		batches = readBatches((await recorded()).path)
	}, 900_000)
	afterAll(() => rmSync(folder, { recursive: true, force: true }))

	/** Runs the recording through the pipeline; before every n-th batch `between` is awaited. Totals by component. */
	async function play(between: (load: (text: string) => Promise<boolean>, n: number) => Promise<void>) {
		const source = new Subject<RawBatch>()
		const runtime = createPipelineRuntime({
			io: {
				stdout: new Writable({ write: (_chunk, _encoding, done) => done() }) as NodeJS.WritableStream,
				stderr: new Writable({ write: (_chunk, _encoding, done) => done() }) as NodeJS.WritableStream,
				env: {},
				isTty: false,
			},
			host: readHost(),
			storagePath: folder,
			stability: 'experimental',
			logLevel: 'error',
			source: () => source,
		})
		const load = async (text: string) =>
			(await runtime.graph.load({ path: 'config.alloy', files: [{ name: 'config.alloy', text }] })).ok
		expect(await load(stages({}))).toBe(true)
		for (const [n, batch] of batches.entries()) {
			await between(load, n)
			source.next(batch)
		}
		source.complete()
		const totals = runtime.accounting.totals()
		await runtime.graph.stop(10_000)
		return totals
	}

	it(`lose no batch and no item in ${reloads} reloads, good and bad`, async () => {
		const plain = await play(async () => {})
		let good = 0
		let bad = 0
		const each = Math.ceil(reloads / batches.length)
		const reloaded = await play(async (load, n) => {
			for (let i = 0; i < each && good + bad < reloads; i++) {
				const k = good + bad
				// What stands downstream changes; every third file is refused.
				const text =
					k % 3 === 2
						? `${stages({})}\nebpf.nothing "x" { }`
						: stages({ interval: `${1000 + k}ms`, propagate: `hold = "${1 + (n % 2)}s"` })
				if (await load(text)) good++
				else bad++
			}
		})
		expect(good + bad).toBe(reloads)
		expect(bad).toBe(Math.floor(reloads / 3))
		for (const before of plain) {
			const after = reloaded.find((stage) => stage.id === before.id)
			expect(after?.received, `received by ${before.id}`).toBe(before.received)
			const unwanted = [...(after?.dropped ?? [])].filter(([, drop]) => !drop.intentional)
			expect(unwanted, `dropped by ${before.id}`).toEqual(
				[...before.dropped].filter(([, drop]) => !drop.intentional),
			)
			expect(after?.held(), `held by ${before.id}`).toBe(0)
		}
		console.log(
			`${batches.length} batches, ${good} good and ${bad} refused reloads: the same items at every stage`,
		)
	}, 120_000)
})
