import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { knownComponents } from '../../src/cli/validate.ts'
import { productName } from '../../src/server/replies.ts'
import { ownLines } from '../conformance/result.ts'
import { run, startProgram } from './support/process.ts'
import { freePort } from './support/programs.ts'
import { mainJs } from './support/vor.ts'

interface Case {
	readonly name: string
	readonly config: string | Readonly<Record<string, string>>
	readonly run?: {
		readonly exited_by_itself: boolean
		readonly rc?: number
		readonly stderr: readonly string[]
		readonly stdout?: string
		readonly ready?: number
		readonly healthy?: { readonly status: number; readonly body: string }
		readonly components?: readonly Component[]
	}
}

interface Component {
	readonly name: string
	readonly localID: string
	readonly moduleID: string
	readonly label: string
	readonly health: { readonly state: string; readonly message: string }
	readonly referencesTo: readonly string[]
	readonly referencedBy: readonly string[]
}

const used =
	/\b(?:beyla|discovery|ebpf|local|loki|otelcol|prometheus|pyroscope|remote)\.[a-z_]+(?:\.[a-z_]+)?(?= ")/g
const registry = knownComponents()
const known = ownLines<Case>('cli-validate-run.jsonl').filter(({ config, run: outcome }) => {
	const text = typeof config === 'string' ? config : Object.values(config).join('\n')
	const said = outcome?.stderr.join('\n') ?? ''
	return (
		outcome !== undefined &&
		(/cannot find the definition/.test(said) ||
			(text.match(used) ?? []).every((name) => registry.get(name) !== undefined))
	)
})
const cases = known.filter((one) => one.run!.exited_by_itself)
/** Its certificate cannot be read: Alloy runs on and fails every handshake, Vör says so and ends (docs/language.md). */
const tls = new Set(['http_block'])
const running = known.filter((one) => !one.run!.exited_by_itself && !tls.has(one.name))

const folder = mkdtempSync(join(tmpdir(), 'vor-refuses-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ours = (line: string): boolean => !/^(level=|ts=)/.test(line)

/** The case's files in a folder of its own; the path that `run` is given there. */
async function place(name: string, config: Case['config']): Promise<{ path: string; cwd: string }> {
	const path = typeof config === 'string' ? 'config.alloy' : 'conf'
	const cwd = join(folder, name)
	await mkdir(cwd)
	if (typeof config === 'string') await writeFile(join(cwd, path), config)
	else {
		await mkdir(join(cwd, path))
		for (const [file, text] of Object.entries(config)) await writeFile(join(cwd, path, file), text)
	}
	return { path, cwd }
}

const runArguments = (path: string, port: number): string[] => [
	mainJs,
	'run',
	path,
	'--stability.level=experimental',
	'--storage.path=data',
	`--server.http.listen-addr=127.0.0.1:${port}`,
]

it('there are configurations that alloy run refused and that use only what Vör has', () => {
	expect(cases.length).toBeGreaterThanOrEqual(50)
	expect(running.length).toBeGreaterThanOrEqual(8)
})

it.concurrent.each(cases.map((one) => [one.name, one] as const))(
	'vor run ends as alloy run did: %s',
	async (name, { config, run: outcome }) => {
		const { path, cwd } = await place(name, config)
		const port = await freePort()
		const { code, stdout, stderr } = await run(process.execPath, runArguments(path, port), { cwd })
		expect({ code, stdout, stderr: stderr.trimEnd().split('\n').filter(ours) }).toEqual({
			code: outcome!.rc,
			stdout: outcome!.stdout,
			stderr: outcome!.stderr.filter(ours),
		})
	},
)

/** Alloy evaluates what follows an export once more after the start; which message is the newest says nothing. */
const sameMoment = ({ state, message }: Component['health']): Component['health'] => ({
	state,
	message: message === 'component evaluated' ? 'started component' : message,
})

it.concurrent.each(running.map((one) => [one.name, one] as const))(
	'vor run runs as alloy run did: %s',
	async (name, { config, run: outcome }) => {
		const { path, cwd } = await place(name, config)
		const port = await freePort()
		const vor = startProgram(process.execPath, runArguments(path, port), { cwd })
		try {
			await vor.waitFor(/is running/)
			const ask = async (what: string): Promise<{ status: number; body: string }> => {
				const response = await fetch(`http://127.0.0.1:${port}${what}`)
				return { status: response.status, body: await response.text() }
			}
			expect((await ask('/-/ready')).status).toBe(outcome!.ready)
			expect(await ask('/-/healthy')).toEqual({
				status: outcome!.healthy!.status,
				body: outcome!.healthy!.body.replaceAll('Alloy', productName),
			})
			const all = JSON.parse((await ask('/api/v0/web/components')).body) as Component[]
			const shown = all.map(({ name, localID, moduleID, label, health, referencesTo, referencedBy }) => {
				const { state, message } = sameMoment(health)
				return { name, localID, moduleID, label, health: { state, message }, referencesTo, referencedBy }
			})
			const order = (one: { localID: string }, other: { localID: string }): number =>
				one.localID < other.localID ? -1 : 1
			const wanted = outcome!.components!.map((one) => ({ ...one, health: sameMoment(one.health) }))
			expect(shown.sort(order)).toEqual(wanted.sort(order))
		} finally {
			expect(await vor.stop('SIGTERM')).toBe(0)
		}
	},
)

it('the http block protects the endpoints of a running Vör, and a reload changes that', async () => {
	const config = (password: string): string =>
		`http {\n\tauth {\n\t\tbasic {\n\t\t\tusername = "me"\n\t\t\tpassword = "${password}"\n\t\t}\n\t}\n}\n`
	const { path, cwd } = await place('http_auth', config('one'))
	const port = await freePort()
	const vor = startProgram(process.execPath, runArguments(path, port), { cwd })
	const ask = async (what: string, login: string): Promise<number> => {
		const authorization = `Basic ${Buffer.from(login).toString('base64')}`
		return (await fetch(`http://127.0.0.1:${port}${what}`, { headers: { authorization } })).status
	}
	try {
		await vor.waitFor(/is running/)
		expect([await ask('/metrics', 'me:one'), await ask('/metrics', 'me:two')]).toEqual([200, 401])
		await writeFile(join(cwd, path), config('two'))
		expect(await ask('/-/reload', 'me:one')).toBe(200)
		expect([await ask('/metrics', 'me:one'), await ask('/metrics', 'me:two')]).toEqual([401, 200])
		await writeFile(join(cwd, path), '')
		expect(await ask('/-/reload', 'me:two')).toBe(200)
		expect(await ask('/metrics', '')).toBe(200)
	} finally {
		expect(await vor.stop('SIGTERM')).toBe(0)
	}
	expect(vor.stderr()).not.toMatch(/one"|two"/)
})
