import { expect, it } from 'vitest'
import type { GrpcFailure } from '../../src/export/grpc-failure.ts'
import { createOutageLog } from '../../src/export/outage-log.ts'
import { createLog } from '../../src/telemetry/log.ts'

function setUp() {
	let text = ''
	const clock = { now: 0 }
	const log = createLog({ write: (line) => void (text += line.replace(/^ts=\S+ /, '')) })
	const outage = createOutageLog(
		log,
		{ endpoint: 'a:1', signal: 'spans' },
		() => 42,
		() => clock.now,
	)
	return { outage, clock, lines: () => text.split('\n').slice(0, -1) }
}
const down: GrpcFailure = {
	code: 'UNAVAILABLE',
	message: 'no',
	retryable: true,
	retryDelayMs: undefined,
	fix: 'start it',
}

it('an outage is one line at its begin, one every 30 s and one at its end', () => {
	const { outage, clock, lines } = setUp()
	for (; clock.now < 100_000; clock.now += 500) outage.failed(down)
	outage.dropped(7, 'queue_full')
	outage.succeeded()
	outage.succeeded()
	expect(lines()).toEqual([
		'level=warn msg="export fails, will try again" endpoint=a:1 signal=spans code=UNAVAILABLE err=no fix="start it"',
		...[30, 60, 90].map(
			(seconds) =>
				`level=warn msg="export still fails" endpoint=a:1 signal=spans code=UNAVAILABLE seconds=${seconds} failed_attempts=${seconds * 2 + 1} held_items=42 dropped_items=0`,
		),
		'level=error msg="telemetry dropped" endpoint=a:1 signal=spans reason=queue_full items=7',
		'level=info msg="export works again" endpoint=a:1 signal=spans seconds=100 failed_attempts=200 held_items=42 dropped_items=7',
	])
})

it('a backend that fails every other time does not fill the log', () => {
	const { outage, clock, lines } = setUp()
	for (; clock.now < 60_000; clock.now += 100) {
		outage.failed(down)
		outage.succeeded()
	}
	// Told twice, and each time that it is over.
	expect(lines().length).toBe(4)
})

it('another code is news, and drops and warnings are thinned, not hidden', () => {
	const { outage, clock, lines } = setUp()
	outage.failed(down)
	clock.now = 2000
	outage.failed({ ...down, code: 'UNIMPLEMENTED', retryable: false, fix: '' })
	for (let i = 0; i < 100; i++) {
		outage.dropped(1, 'refused')
		outage.warned('too old', 3)
	}
	expect(lines().slice(1)).toEqual([
		'level=warn msg="export refused, data is dropped" endpoint=a:1 signal=spans code=UNIMPLEMENTED err=no',
		'level=error msg="telemetry dropped" endpoint=a:1 signal=spans reason=refused items=1',
		'level=warn msg="the backend took only part of a request" endpoint=a:1 signal=spans rejected_items=3 err="too old"',
	])
})
