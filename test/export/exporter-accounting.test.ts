import { status } from '@grpc/grpc-js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Answer, startBackend, withRetryInfo } from './backend.ts'
import { subject } from './exporter-under-test.ts'
import { makeBatch, makeHistogram, makeResource, makeSpan } from './samples.ts'

const resource = makeResource('shop')
const answers: Record<string, Answer> = {
	yes: undefined,
	partial: { rejected: 3, message: 'three' },
	tooMany: { rejected: 1_000_000 },
	unavailable: { code: status.UNAVAILABLE, details: 'full' },
	refused: { code: status.INVALID_ARGUMENT, details: 'no' },
	throttled: withRetryInfo(status.RESOURCE_EXHAUSTED, 0n, 5_000_000),
	silence: 'silence',
}

const step = fc.oneof(
	fc.record({ do: fc.constant('spans' as const), count: fc.nat({ max: 60 }) }),
	fc.record({ do: fc.constant('points' as const), count: fc.nat({ max: 60 }) }),
	fc.record({ do: fc.constant('wait' as const), count: fc.nat({ max: 15 }) }),
	fc.record({ do: fc.constant('flush' as const), count: fc.nat({ max: 20 }) }),
)

it('received = sent + dropped + held after every step, whatever the backend answers; sent is what it took', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(step, { maxLength: 25 }),
			fc.array(fc.constantFrom(...Object.keys(answers)), { minLength: 1, maxLength: 12 }),
			fc.integer({ min: 1, max: 4 }),
			async (steps, script, numConsumers) => {
				let taken = 0
				const backend = await startBackend(({ items }, index) => {
					const answer = answers[script[index % script.length]!]
					if (answer === undefined) taken += items
					else if (typeof answer === 'object' && 'rejected' in answer)
						taken += Math.max(0, items - answer.rejected)
					return answer
				})
				try {
					const { exporter, missing, totals, dropped } = subject(backend.endpoint, {
						// A late answer is one that the backend took and we could not know of: only where silence is tested.
						timeoutMs: script.includes('silence') ? 40 : 20_000,
						sendingQueue: {
							queueSize: 4,
							numConsumers,
							batch: { flushTimeoutMs: 3, minSize: 40, maxSize: 50, sizer: 'items' },
						},
						retryOnFailure: { initialIntervalMs: 2, maxIntervalMs: 8, maxElapsedMs: 60 },
					})
					for (const { do: what, count } of steps) {
						if (what === 'spans')
							exporter.traces.next(makeBatch(Array.from({ length: count }, (_, n) => makeSpan(n, resource))))
						else if (what === 'points') exporter.metrics.next({ metrics: [makeHistogram(resource, count)] })
						else if (what === 'wait') await new Promise((resolve) => setTimeout(resolve, count))
						else await exporter.flush(count)
						expect(missing()).toBe(0)
						expect(exporter.held()).toBeGreaterThanOrEqual(0)
					}
					const lost = await exporter.stop(script.includes('silence') ? 500 : 20_000)
					expect([missing(), exporter.held()]).toEqual([0, 0])
					// An answer that was under way when the time was over is counted as lost: at least once, never invented.
					expect(totals().sent).toBeLessThanOrEqual(taken)
					if ((dropped()['shutdown'] ?? 0) === 0 && !script.includes('silence'))
						expect(totals().sent).toBe(taken)
					expect(lost).toBeGreaterThanOrEqual(dropped()['shutdown'] ?? 0)
				} finally {
					backend.stop()
				}
			},
		),
		{ numRuns: 40 },
	)
})
