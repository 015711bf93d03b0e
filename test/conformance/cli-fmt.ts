import { runFmt } from '../../src/cli/fmt.ts'
import { captureIo } from '../syntax/capture-io.ts'
import { type ConformanceResult, compare, differ, ownLines } from './result.ts'

interface Case {
	readonly in: string
	readonly rc: number
	readonly out: string
	readonly err: string
}

/** What `alloy fmt -` printed and returned. */
export async function run(): Promise<ConformanceResult> {
	const cases = ownLines<Case>('cli-fmt.jsonl')
	const got: Omit<Case, 'in'>[] = []
	for (const one of cases) {
		const io = captureIo()
		const rc = await runFmt(['-'], io, async () => Buffer.from(one.in))
		got.push({ rc, out: io.out(), err: io.err() })
	}
	return compare('cli-fmt', cases, ({ rc, out, err }, index) =>
		differ(`case ${index + 1}`, { rc, out, err }, got[index]),
	)
}
