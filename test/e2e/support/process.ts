import type { ChildProcess } from 'node:child_process'
import { spawn, spawnPolitely } from '../../helpers/spawn.ts'

/** A child program of a test: its output so far, a wait for a line, an end that always comes. */
export interface Program {
	readonly pid: number
	readonly child: ChildProcess
	stdout(): string
	stderr(): string
	/** First match in stdout or stderr; rejects with all output after `timeoutMs` or when the program ends. */
	waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>
	/** Sends `signal` and resolves with the exit code (null when ended by a signal). SIGKILL after 20 s. */
	stop(signal?: NodeJS.Signals): Promise<number | null>
	readonly exited: Promise<number | null>
}

export interface ProgramOptions {
	readonly env?: NodeJS.ProcessEnv
	readonly cwd?: string
	/** It has children of its own, which it ends at SIGTERM. */
	readonly parent?: boolean
}

export function startProgram(
	command: string,
	args: readonly string[],
	options: ProgramOptions = {},
): Program {
	const child = (options.parent === true ? spawnPolitely : spawn)(command, [...args], {
		stdio: ['ignore', 'pipe', 'pipe'],
		env: options.env ?? process.env,
		...(options.cwd === undefined ? {} : { cwd: options.cwd }),
	})
	let stdout = ''
	let stderr = ''
	const listeners = new Set<() => void>()
	const wake = () => {
		for (const listener of listeners) listener()
	}
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		stdout += text
		wake()
	})
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		stderr += text
		wake()
	})
	let ended = false
	const exited = new Promise<number | null>((resolve) => {
		child.once('error', (error) => {
			stderr += String(error)
			ended = true
			wake()
			resolve(null)
		})
		child.once('close', (code) => {
			ended = true
			wake()
			resolve(code)
		})
	})
	return {
		pid: child.pid ?? 0,
		child,
		stdout: () => stdout,
		stderr: () => stderr,
		exited,
		waitFor(pattern, timeoutMs = 40_000) {
			return new Promise((resolve, reject) => {
				const finish = (act: () => void) => {
					clearTimeout(timer)
					listeners.delete(look)
					act()
				}
				const fail = (why: string) =>
					finish(() =>
						reject(new Error(`${command}: ${why} while waiting for ${pattern}\n${stdout}\n${stderr}`)),
					)
				const look = () => {
					const match = stdout.match(pattern) ?? stderr.match(pattern)
					if (match !== null) finish(() => resolve(match))
					else if (ended) fail('ended')
				}
				const timer = setTimeout(() => fail('timed out'), timeoutMs)
				listeners.add(look)
				look()
			})
		},
		async stop(signal = 'SIGTERM') {
			if (!ended) child.kill(signal)
			const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
			const code = await exited
			clearTimeout(timer)
			return code
		},
	}
}

/** Runs to the end. */
export async function run(command: string, args: readonly string[], options: ProgramOptions = {}) {
	const program = startProgram(command, args, options)
	const code = await program.exited
	return { code, stdout: program.stdout(), stderr: program.stderr() }
}
