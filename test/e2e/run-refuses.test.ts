import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { knownComponents } from '../../src/cli/validate.ts'
import { ownLines } from '../conformance/result.ts'
import { run } from './support/process.ts'
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
	}
}

const used =
	/\b(?:beyla|discovery|ebpf|local|loki|otelcol|prometheus|pyroscope|remote)\.[a-z_]+(?:\.[a-z_]+)?(?= ")/g
const registry = knownComponents()
const cases = ownLines<Case>('cli-validate-run.jsonl').filter(({ config, run: outcome }) => {
	const text = typeof config === 'string' ? config : Object.values(config).join('\n')
	const said = outcome?.stderr.join('\n') ?? ''
	return (
		outcome?.exited_by_itself === true &&
		(/cannot find the definition/.test(said) ||
			(text.match(used) ?? []).every((name) => registry.get(name) !== undefined))
	)
})

const folder = mkdtempSync(join(tmpdir(), 'vor-refuses-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ours = (line: string): boolean => !/^(level=|ts=)/.test(line)

it('there are configurations that alloy run refused and that use only what Vör has', () => {
	expect(cases.length).toBeGreaterThan(20)
})

it.concurrent.each(cases.map((one) => [one.name, one] as const))(
	'vor run ends as alloy run did: %s',
	async (name, { config, run: outcome }) => {
		const path = typeof config === 'string' ? 'config.alloy' : 'conf'
		const cwd = join(folder, name)
		await mkdir(cwd)
		if (typeof config === 'string') await writeFile(join(cwd, path), config)
		else {
			await mkdir(join(cwd, path))
			for (const [file, text] of Object.entries(config)) await writeFile(join(cwd, path, file), text)
		}
		const port = await freePort()
		const { code, stdout, stderr } = await run(
			process.execPath,
			[
				mainJs,
				'run',
				path,
				'--stability.level=experimental',
				'--storage.path=data',
				`--server.http.listen-addr=127.0.0.1:${port}`,
			],
			{ cwd },
		)
		expect({ code, stdout, stderr: stderr.trimEnd().split('\n').filter(ours) }).toEqual({
			code: outcome!.rc,
			stdout: outcome!.stdout,
			stderr: outcome!.stderr.filter(ours),
		})
	},
)
