#!/usr/bin/env node
import { dispatch, fail } from './cli/dispatch.ts'

const io = {
	stdout: process.stdout,
	stderr: process.stderr,
	env: process.env,
	isTty: process.stdout.isTTY === true,
}

// `vor ps | head`: the reader going away is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	if (error.code === 'EPIPE') process.exit(0)
	throw error
})

async function main(argv: readonly string[]): Promise<number> {
	// Before the modules of the command are there.
	if (argv[0] === 'run') (await import('./cli/early-start.ts')).startEarly(argv.slice(1))
	return await dispatch(argv, io)
}

main(process.argv.slice(2)).then(
	(code) => {
		process.exitCode = code
	},
	(reason: unknown) => {
		process.exitCode = fail(reason, io)
	},
)
