/** What a command may touch of its process; tests hand in their own. */
export interface CliIo {
	stdout: NodeJS.WritableStream
	stderr: NodeJS.WritableStream
	env: NodeJS.ProcessEnv
	isTty: boolean
}

/** One `vor <name>`; the file `src/cli/<name>.ts` exports it as `command`. Resolves to the exit code. */
export interface CliCommand {
	readonly name: string
	readonly summary: string
	readonly usage: string
	run(argv: readonly string[], io: CliIo): Promise<number>
}
