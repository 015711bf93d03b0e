// npm start: sets up, builds, runs pipelines/local.alloy. `npm start -- [--demo] [FILE] [flags of vor run]`.
// On a terminal it shows `vor top` and keeps the log in a file; otherwise plain lines.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild, stopChild } from './lib/children.mjs'
import { startDemo } from './lib/demo.mjs'
import { root, runScript, ScriptError, say } from './lib/report.mjs'
import { watchTop } from './lib/watch-top.mjs'
import { setup } from './setup.mjs'

/** `vor run` flushes within 5 s after SIGTERM; this is that and some. */
const patienceMs = 10_000

await runScript(async () => {
	const options = readOptions(process.argv.slice(2))
	await setup()
	if (process.getuid() !== 0) {
		throw new ScriptError(
			'loading eBPF programs needs root',
			'sudo npm start, or see "node dist/main.js check"',
		)
	}
	const live = process.stdout.isTTY === true
	const demo = options.demo ? await startDemo() : undefined
	const logFile = live ? join(root, '.cache/vor.log') : undefined
	if (logFile !== undefined) mkdirSync(join(root, '.cache'), { recursive: true })
	const log = logFile === undefined ? 'inherit' : openSync(logFile, 'w', 0o640)
	const vor = startChild(process.execPath, ['dist/main.js', 'run', ...options.args], {
		stdio: ['ignore', log, log],
	})
	if (typeof log === 'number') closeSync(log)

	const stop = stopSignal()
	let top
	try {
		const watch = watchTop(options.address, { plain: !live, demo: options.demo })
		const ready = await Promise.race([
			watch.ready.then(() => true),
			vor.ended.then(() => false),
			stop.promise,
		])
		if (ready === true && live) {
			top = startChild(process.execPath, ['dist/main.js', 'top', `--address=${options.address}`])
			// `q` in the table ends all; a table that fails leaves Vör running until Ctrl-C.
			await Promise.race([top.ended, vor.ended, stop.promise])
		} else if (ready === true) {
			await Promise.race([vor.ended, stop.promise])
		}
		watch.stop()
	} finally {
		if (top !== undefined) await stopChild(top, 2000)
	}
	const asked = vor.running()
	const [{ code, signal, error }] = await Promise.all([stopChild(vor, patienceMs), demo?.stop()])
	if (error !== undefined) throw new ScriptError(`cannot start vor: ${error.message}`)
	if (logFile !== undefined && code !== 0 && existsSync(logFile)) {
		process.stderr.write(readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n'))
	}
	if (asked && code === 0) say('Vör has ended: nothing of it is left attached.')
	return code ?? (signal === null ? 1 : 128)
})

/** Our own flags are taken out; the rest is `vor run`'s. */
function readOptions(argv) {
	const args = argv.filter((word) => word !== '--demo')
	// A flag's value given as a word of its own is not a file.
	const file = args.find((word, i) => !word.startsWith('-') && !(args[i - 1] ?? '').match(/^--[^=]+$/))
	if (file === undefined) args.unshift('pipelines/local.alloy')
	const flag = '--server.http.listen-addr'
	const at = args.findIndex((word) => word === flag || word.startsWith(`${flag}=`))
	const address =
		at < 0 ? '127.0.0.1:12345' : args[at] === flag ? args[at + 1] : args[at].slice(flag.length + 1)
	return { demo: argv.includes('--demo'), args, address: address ?? '' }
}

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. npm forwards what the terminal already sent to us, so a repetition
 * within a second is the same signal; a later one ends us at once, and the kernel then ends the children.
 */
function stopSignal() {
	let first = 0
	const promise = new Promise((resolve) => {
		for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
			process.on(name, () => {
				if (first === 0) first = performance.now()
				else if (performance.now() - first > 1000) process.exit(130)
				resolve('stopped')
			})
		}
	})
	return { promise }
}
