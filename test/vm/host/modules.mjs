// Which files of the checkout the runner inside the guest needs: what Node really loads, and nothing else.
// As a program: prints them, one a line, in JSON.
import { execFileSync } from 'node:child_process'
import { createRequire, register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

/** What main.mjs imports, and the worker that the product starts. */
const ENTRIES = [
	'../guest/load.mjs',
	'../guest/mix.mjs',
	'../guest/waiting.mjs',
	'../../../dist/capture/preflight.js',
	'../../../dist/capture/addon.js',
	'../../../dist/process/worker.js',
]

/** Absolute paths. Runs in a process of its own: this one has loaded other things. */
export function loadedFiles() {
	const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url)], { encoding: 'utf8' })
	return JSON.parse(output)
}

async function list() {
	const hook = `
		let port
		export const initialize = (data) => { port = data.port }
		export const load = async (url, context, next) => { port.postMessage(url); return next(url, context) }`
	const { port1, port2 } = new MessageChannel()
	register(`data:text/javascript,${encodeURIComponent(hook)}`, {
		data: { port: port2 },
		transferList: [port2],
	})
	for (const entry of ENTRIES) await import(entry)
	await import('bpf-native-loader')
	const files = new Set(Object.keys(createRequire(import.meta.url).cache))
	for (let got = receiveMessageOnPort(port1); got !== undefined; got = receiveMessageOnPort(port1))
		if (got.message.startsWith('file:')) files.add(fileURLToPath(got.message))
	return [...files].sort()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	process.stdout.write(JSON.stringify(await list()))
	process.exit(0)
}
