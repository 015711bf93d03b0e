// `vor bench` in a guest, as a user runs it: what it says on the way and its result become findings.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
/** Of what it complained of last. */
const ERROR_LINES = 20

/** Resolves when it has ended and everything is told. */
export function runBench(args, tell) {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [MAIN, 'bench', ...args, '--json=-'], {
			stdio: ['ignore', 'pipe', 'pipe'],
		})
		let output = ''
		const errors = []
		child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk))
		createInterface({ input: child.stderr }).on('line', (text) => {
			errors.push(text)
			tell('progress', { text })
		})
		child.on('error', (error) => errors.push(error.message))
		child.on('close', (code) => {
			if (code === 0) tell('bench', { result: JSON.parse(output) })
			else
				tell('failed', { problem: `vor bench ended with ${code}: ${errors.slice(-ERROR_LINES).join('\n')}` })
			resolve()
		})
	})
}
