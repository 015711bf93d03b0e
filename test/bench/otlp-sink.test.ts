import { connect } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { type OtlpSink, startOtlpSink } from '../../src/bench/otlp-sink.ts'

let sink: OtlpSink | undefined
afterEach(() => sink?.close())

test('the sink of the benchmark answers, also after senders that gave up as they had sent', async () => {
	sink = await startOtlpSink()
	const session = connect(`http://${sink.endpoint}`)
	const begin = () => session.request({ ':method': 'POST', ':path': '/any' })
	for (let i = 0; i < 20; i++) {
		const given = begin()
		given.on('error', () => {})
		given.end(Buffer.alloc(100))
		// END_STREAM and RST_STREAM come in one read.
		given.close(8)
	}
	const stream = begin()
	const status = new Promise((resolve, reject) => {
		stream.once('trailers', (trailers) => resolve(trailers['grpc-status']))
		stream.once('error', reject)
	})
	stream.resume()
	stream.end(Buffer.alloc(100))
	expect(await status).toBe('0')
	session.destroy()
})
