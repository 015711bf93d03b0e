import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startChild, stopChild } from './children.mjs'
import { command } from './packages.mjs'
import { root, run, say } from './report.mjs'

/** Starts the programs of demo/ that this machine can run; gives what ends them. */
export async function startDemo() {
	const children = []
	const start = (program, args, env) =>
		children.push(startChild(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] }))

	const names = []
	const upstream = {}
	const compiler = ['cc', 'gcc', 'clang'].find(command)
	if (compiler !== undefined) {
		const binary = join(root, '.cache/demo/stock')
		mkdirSync(join(root, '.cache/demo'), { recursive: true })
		await run(compiler, ['-O2', '-pthread', '-o', binary, 'demo/stock.c'])
		const port = await freePort()
		start(binary, [], { PORT: String(port) })
		upstream.STOCK = `127.0.0.1:${port}`
		names.unshift(`stock (C, port ${port})`)
	}
	if (command('python3')) {
		const port = await freePort()
		start('python3', ['demo/catalog.py'], { PORT: String(port), ...upstream })
		upstream.CATALOG = `http://127.0.0.1:${port}`
		names.unshift(`catalog.py (Python, port ${port})`)
	}
	const port = await freePort()
	// Both lie in Vör's own package, whose name they would bear; so they are told theirs, as one tells any program.
	start(process.execPath, ['demo/storefront.mjs'], {
		PORT: String(port),
		...upstream,
		OTEL_SERVICE_NAME: 'storefront',
	})
	names.unshift(`storefront.mjs (Node, port ${port})`)
	start(process.execPath, ['demo/shopper.mjs'], {
		STOREFRONT: `http://127.0.0.1:${port}`,
		OTEL_SERVICE_NAME: 'shopper',
	})
	say(`Demo: shopper.mjs (Node, the traffic) -> ${names.join(' -> ')}`)
	return { stop: () => Promise.all(children.map((child) => stopChild(child, 2000))) }
}

/** A port that was free a moment ago. */
function freePort() {
	return new Promise((resolve, reject) => {
		const server = createServer()
		server.on('error', reject)
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address()
			server.close(() => resolve(port))
		})
	})
}
