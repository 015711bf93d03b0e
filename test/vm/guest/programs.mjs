// Starts the test programs and waits for them; none outlives the runner.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const children = new Set()
process.on('exit', () => {
	for (const child of children) child.kill('SIGKILL')
})

function start(program, args) {
	const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
	children.add(child)
	child.on('close', () => children.delete(child))
	return child
}

/** A server; resolves with the first line that it prints, and a `stop`. */
export function startServer(program, args, patienceMs) {
	return new Promise((resolve, reject) => {
		const child = start(program, args)
		const timer = setTimeout(() => {
			child.kill('SIGKILL')
			reject(new Error(`${program} ${args[0]} said nothing for ${patienceMs} ms`))
		}, patienceMs)
		let errors = ''
		child.stderr.on('data', (chunk) => (errors += chunk))
		createInterface({ input: child.stdout }).once('line', (line) => {
			clearTimeout(timer)
			resolve({ line, pid: child.pid, stop: () => stop(child) })
		})
		child.on('error', reject)
		child.on('close', (code) => reject(new Error(`${program} ended with ${code}: ${errors}`)))
	})
}

/** A client; resolves with its exit code and what it complained of. */
export function runClient(program, args, patienceMs) {
	return new Promise((resolve, reject) => {
		const child = start(program, args)
		const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
		let errors = ''
		child.stderr.on('data', (chunk) => (errors += chunk))
		child.stdout.resume()
		child.on('error', reject)
		child.on('close', (code, signal) => {
			clearTimeout(timer)
			resolve({ code: code ?? signal, errors: errors.trim() })
		})
	})
}

function stop(child) {
	if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
	return new Promise((resolve) => {
		child.on('close', resolve)
		child.kill('SIGKILL')
	})
}
