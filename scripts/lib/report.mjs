import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { bound } from './bound.mjs'

/** Root of the checkout; every script runs there, wherever it was called from. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A problem that is told without a stack: what is wrong and the command that mends it. */
export class ScriptError extends Error {
	constructor(message, fix = '') {
		super(message)
		this.fix = fix
	}
}

export function say(line) {
	process.stdout.write(`${line}\n`)
}

/** Runs `main`; a ScriptError is printed as `error:` and `fix:`. The process ends with what `main` resolves to, or 1. */
export async function runScript(main) {
	process.chdir(root)
	try {
		process.exitCode = (await main()) ?? 0
	} catch (error) {
		if (!(error instanceof ScriptError)) throw error
		process.stderr.write(`error: ${error.message}\n`)
		if (error.fix !== '') process.stderr.write(`fix: ${error.fix}\n`)
		process.exitCode = 1
	}
}

/** Says what is done, does it, says how long it took. */
export async function timed(what, work) {
	const start = performance.now()
	const result = await work()
	say(`  ${what} (${seconds(performance.now() - start)})`)
	return result
}

export function seconds(milliseconds) {
	return `${(milliseconds / 1000).toFixed(1)} s`
}

/**
 * Runs a program to its end. Its output is shown only when it fails, or as it comes with `show`; `onLine` sees every line
 * in any case. With `endsWithUs` it ends when we are killed. Resolves to the output.
 */
export function run(
	program,
	args,
	{ show = false, env = {}, cwd = root, onLine, fix = '', accept = [0], endsWithUs = false } = {},
) {
	return new Promise((resolve, reject) => {
		const child = spawn(...(endsWithUs ? bound('KILL', program, args) : [program, args]), {
			cwd,
			stdio: ['ignore', 'pipe', 'pipe'],
			env: { ...process.env, PATH: `${root}node_modules/.bin:${process.env.PATH}`, ...env },
		})
		const chunks = []
		let rest = ''
		const take = (chunk) => {
			chunks.push(chunk)
			if (show) process.stdout.write(chunk)
			if (onLine === undefined) return
			const lines = (rest + chunk).split('\n')
			rest = lines.pop()
			for (const line of lines) onLine(line)
		}
		child.stdout?.on('data', take)
		child.stderr?.on('data', take)
		const command = [program, ...args].join(' ')
		child.on('error', (error) => reject(new ScriptError(`cannot run ${command}: ${error.message}`, fix)))
		child.on('close', (code, signal) => {
			const output = Buffer.concat(chunks).toString()
			if (code !== null && accept.includes(code)) resolve({ code, output })
			else {
				const end = signal === null ? `ended with ${code}` : `was ended by ${signal}`
				const shown = show ? '' : `\n${excerpt(output, 60)}`
				reject(new ScriptError(`${command} ${end}${shown}`, fix))
			}
		})
	})
}

/** The head says what went wrong first, the end what it led to. */
function excerpt(text, count) {
	const lines = text.trimEnd().split('\n')
	if (lines.length <= count) return lines.join('\n')
	const head = Math.floor(count / 3)
	const hidden = lines.length - count
	return [...lines.slice(0, head), `(${hidden} lines more)`, ...lines.slice(head - count)].join('\n')
}
