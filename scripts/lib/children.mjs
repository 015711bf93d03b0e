import { spawn } from 'node:child_process'
import { bound } from './bound.mjs'
import { root } from './report.mjs'

/**
 * Starts a program in a process group of its own, so that Ctrl-C reaches only us and we decide what it means. The kernel
 * ends it when we are killed without a chance to.
 */
export function startChild(program, args, { env = {}, stdio = 'inherit' } = {}) {
	const [file, list] = bound('TERM', program, args)
	const child = spawn(file, list, { cwd: root, detached: true, stdio, env: { ...process.env, ...env } })
	const ended = new Promise((resolve) => {
		child.on('error', (error) => resolve({ code: 1, signal: null, error }))
		child.on('close', (code, signal) => resolve({ code, signal, error: undefined }))
	})
	return { child, ended, running: () => child.exitCode === null && child.signalCode === null }
}

/** SIGTERM, and after `patienceMs` SIGKILL. */
export async function stopChild({ child, ended, running }, patienceMs) {
	if (!running()) return ended
	child.kill('SIGTERM')
	const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
	try {
		return await ended
	} finally {
		clearTimeout(timer)
	}
}
