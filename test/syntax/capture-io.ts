import { Writable } from 'node:stream'
import type { CliIo } from '../../src/cli/command.ts'

/** A command's streams, kept in memory. */
export function captureIo(isTty = false): CliIo & { out(): string; err(): string } {
	const texts: { out: string; err: string } = { out: '', err: '' }
	const stream = (to: 'out' | 'err'): Writable =>
		new Writable({
			write(chunk: Buffer, _encoding, done) {
				texts[to] += chunk.toString('utf8')
				done()
			},
		})
	return {
		stdout: stream('out'),
		stderr: stream('err'),
		env: {},
		isTty,
		out: () => texts.out,
		err: () => texts.err,
	}
}
