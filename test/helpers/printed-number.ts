import { execFileSync } from 'node:child_process'

/** The number that a script of its own process prints: flags of V8 and a heap of its own. */
export const printedNumber = (script: string): number =>
	Number(
		execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
			encoding: 'utf8',
		}),
	)
