import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { spawn } from '../helpers/spawn.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const storage = mkdtempSync(join(tmpdir(), 'vor-start-'))
afterAll(() => rmSync(storage, { recursive: true, force: true }))

function freePort(): Promise<number> {
	return new Promise((resolve) => {
		const server = createServer()
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address() as AddressInfo
			server.close(() => resolve(port))
		})
	})
}

function listens(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1', () => resolve(true))
		socket.on('error', () => resolve(false))
		socket.on('connect', () => socket.destroy())
	})
}

/** Runs `npm start`'s script as a pipe reads it; `said` resolves when its output matches. */
async function start(...args: string[]) {
	const port = await freePort()
	const child = spawn(
		process.execPath,
		[
			'scripts/start.mjs',
			...args,
			`--server.http.listen-addr=127.0.0.1:${port}`,
			`--storage.path=${storage}/${port}`,
		],
		{ cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
	)
	let output = ''
	const waiting = new Set<() => void>()
	const take = (chunk: Buffer) => {
		output += chunk.toString()
		for (const look of waiting) look()
	}
	child.stdout.on('data', take)
	child.stderr.on('data', take)
	const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
	const said = (pattern: RegExp) =>
		new Promise<RegExpExecArray>((resolve, reject) => {
			const look = () => {
				const match = pattern.exec(output)
				if (match === null) return
				waiting.delete(look)
				resolve(match)
			}
			waiting.add(look)
			look()
			void ended.then((code) => reject(new Error(`ended with ${code} before it said ${pattern}:\n${output}`)))
		})
	return { child, ended, said, port, output: () => output }
}

test('npm start -- --demo shows its three services with their traffic and ends clean', {
	timeout: 240_000,
}, async () => {
	const vor = await start('--demo')
	const demo = await vor.said(
		/storefront\.mjs \(Node, port (\d+)\) -> catalog\.py \(Python, port (\d+)\) -> stock \(C, port (\d+)\)/,
	)
	await vor.said(/^storefront \| in [\d.]+ req\/s.* \| out /m)
	await vor.said(/^catalog \| in .* \| out /m)
	await vor.said(/^stock \| in /m)
	await vor.said(/^shopper \| out /m)
	expect((await fetch(`http://127.0.0.1:${vor.port}/-/ready`)).status).toBe(200)
	const metrics = await (await fetch(`http://127.0.0.1:${vor.port}/metrics`)).text()
	expect(metrics).toMatch(
		/^http_server_request_duration_seconds_count\{[^}]*service_name="storefront"[^}]*\} [1-9]/m,
	)
	const ports = demo.slice(1, 4).map(Number)
	expect(await Promise.all(ports.map(listens))).toEqual([true, true, true])
	vor.child.kill('SIGINT')
	expect(await vor.ended).toBe(0)
	expect(await Promise.all([...ports, vor.port].map(listens))).toEqual([false, false, false, false])
	expect(vor.output()).toContain('Vör has ended')
})

test('killed without a chance to say goodbye it leaves neither Vör nor the demo behind', {
	timeout: 240_000,
}, async () => {
	const vor = await start('--demo')
	const demo = await vor.said(/port (\d+)\) -> .*port (\d+)\) -> .*port (\d+)\)/)
	await vor.said(/now listening for http traffic/)
	vor.child.kill('SIGKILL')
	const ports = [...demo.slice(1, 4).map(Number), vor.port]
	await expect
		.poll(async () => (await Promise.all(ports.map(listens))).some(Boolean), { timeout: 60_000 })
		.toBe(false)
})
