import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { containerIdOf, createProcScanner, mappedFiles, parseStat } from '../../src/process/scan.ts'
import { startScanWorker } from '../../src/process/worker-client.ts'
import { spawn } from '../helpers/spawn.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-scan-'))
const children: ChildProcess[] = []
afterAll(() => {
	for (const child of children) child.kill('SIGKILL')
	rmSync(folder, { recursive: true })
})

/** Starts a program and waits for its first output. */
async function start(
	command: string,
	args: string[],
	options: { cwd?: string; env?: Record<string, string> } = {},
) {
	const child = spawn(command, args, {
		stdio: ['ignore', 'pipe', 'ignore'],
		cwd: options.cwd ?? folder,
		env: { PATH: process.env['PATH'], ...options.env },
	})
	children.push(child)
	await new Promise((resolve, reject) => {
		child.stdout.once('data', resolve)
		child.once('error', reject)
	})
	return child.pid as number
}

const listenScript = "require('net').createServer().listen(0, () => console.log('up'))"

test('a Node program is found with its package, port, language and environment', async () => {
	const app = join(folder, 'app')
	mkdirSync(join(app, 'src'), { recursive: true })
	writeFileSync(join(app, 'package.json'), '{"name":"@acme/shop","version":"1.2.3"}')
	writeFileSync(join(app, 'src', 'main.js'), listenScript)
	const pid = await start(process.execPath, ['src/main.js'], {
		cwd: app,
		env: { OTEL_SERVICE_NAME: 'x', OTHER: 'y' },
	})
	expect(createProcScanner().scan(pid)).toMatchObject({
		pid,
		parentPid: process.pid,
		language: 'nodejs',
		packageName: '@acme/shop',
		packageVersion: '1.2.3',
		otelEnv: ['OTEL_SERVICE_NAME=x'],
		commandLine: [process.execPath, 'src/main.js'],
		listenPorts: [expect.any(Number)],
	})
})

test('a tool inside node_modules gives the package it is run in', async () => {
	const app = join(folder, 'tooled')
	const tool = join(app, 'node_modules', 'next')
	mkdirSync(join(app, 'node_modules', '.bin'), { recursive: true })
	mkdirSync(tool, { recursive: true })
	writeFileSync(join(app, 'package.json'), '{"name":"site"}')
	writeFileSync(join(tool, 'package.json'), '{"name":"next"}')
	writeFileSync(join(tool, 'cli.js'), `#!/usr/bin/env node\n${listenScript}`)
	chmodSync(join(tool, 'cli.js'), 0o755)
	symlinkSync('../next/cli.js', join(app, 'node_modules', '.bin', 'next'))
	const pid = await start(process.execPath, ['node_modules/.bin/next'], { cwd: app })
	expect(createProcScanner().scan(pid)?.packageName).toBe('site')
})

test('a Python program is known by its executable', async () => {
	writeFileSync(join(folder, 'app.py'), 'import time\nprint("up", flush=True)\ntime.sleep(60)\n')
	const pid = await start('python3', ['app.py'])
	expect(createProcScanner().scan(pid)).toMatchObject({
		language: 'python',
		listenPorts: [],
		containerId: '',
	})
})

test('the worker scans the same as the main thread, and a pid that is gone is left out', async () => {
	const worker = startScanWorker()
	const server = createServer().listen(0)
	try {
		const found = await worker.scan([process.pid, 4_194_303])
		expect(found).toHaveLength(1)
		const address = server.address() as { port: number }
		expect(found[0]).toMatchObject({ pid: process.pid, language: 'nodejs' })
		expect(found[0]?.listenPorts).toContain(address.port)
		const all = await worker.scan('all')
		expect(all.some(({ pid }) => pid === process.pid)).toBe(true)
		// Kernel threads have no executable.
		expect(all.some(({ pid }) => pid === 2)).toBe(false)
	} finally {
		server.close()
		await worker.stop()
	}
	await expect(worker.scan('all')).rejects.toMatchObject({ code: 'E_INTERNAL' })
})

test('a comm with spaces and parentheses does not shift the fields', () => {
	const rest = ['S', '7', ...Array(17).fill('0'), '1234', '0']
	expect(parseStat(`9 (a) b (c) ${rest.join(' ')}`)).toMatchObject({
		comm: 'a) b (c',
		parentPid: 7,
		startTicks: 1234,
	})
	expect(parseStat('')).toBeUndefined()
})

test('container ids are found in the paths of the usual runtimes', () => {
	const id = `${'a'.repeat(63)}b`
	const inner = 'c'.repeat(64)
	for (const path of [
		`0::/system.slice/docker-${id}.scope`,
		`12:cpu:/docker/${id}`,
		`0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope`,
		`0::/kubepods/burstable/pod1/${id}`,
		`0::/system.slice/crio-${id}.scope/container`,
	]) {
		expect(containerIdOf(path), path).toBe(id)
	}
	expect(containerIdOf(`0::/docker/${id}/docker/${inner}`)).toBe(inner)
	expect(containerIdOf('0::/user.slice/session-1.scope')).toBe('')
})

test('mapped files are listed once per run of lines', () => {
	const maps = '1-2 r 0 0:0 1 /lib/a.so\n2-3 r 0 0:0 1 /lib/a.so\n3-4 r 0 0:0 0 \n4-5 r 0 0:0 2 /lib/b c.so\n'
	expect([...mappedFiles(maps)]).toEqual(['/lib/a.so', '/lib/b c.so'])
})
