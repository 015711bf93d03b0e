import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runValidate } from '../../src/cli/validate.ts'
import type { Stability } from '../../src/graph/component.ts'
import { validateConfiguration } from '../../src/graph/validate.ts'
import { renderDiagnostics } from '../../src/syntax/render.ts'
import { alloyRegistry } from './alloy-registry.ts'

const folder = fileURLToPath(new URL('../../../shared/alloy/', import.meta.url))
const present = existsSync(folder)
if (!present) console.warn('conformance: ../shared/alloy is absent, validate is not compared')

interface Case {
	readonly name: string
	readonly config: string | Readonly<Record<string, string>>
	readonly validate: { readonly rc: number; readonly stdout: string; readonly stderr: string }
	readonly run?: {
		readonly rc?: number
		readonly exited_by_itself: boolean
		readonly stderr: readonly string[]
	}
}

/** What only happens at run time: files that a component reads, which `validate` does not open. */
const runTimeOnly = /Failed to build component: building component: failed to read file/

class Sink extends Writable {
	text = ''
	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		this.text += chunk.toString()
		done()
	}
}

async function validate(argv: readonly string[]): Promise<{ rc: number; stdout: string; stderr: string }> {
	const stdout = new Sink()
	const stderr = new Sink()
	const io = { stdout, stderr, env: {}, isTty: false }
	const rc = await runValidate(argv, io, () => alloyRegistry)
	return { rc, stdout: stdout.text, stderr: stderr.text }
}

describe.skipIf(!present)('vor validate prints and returns what alloy validate and alloy run do', () => {
	let work = ''
	const home = process.cwd()
	beforeAll(async () => {
		work = await mkdtemp(join(tmpdir(), 'vor-validate-'))
		process.chdir(work)
	})
	afterAll(async () => {
		process.chdir(home)
		await rm(work, { recursive: true })
	})

	const cases = present ? (JSON.parse(readFileSync(`${folder}cli-validate-run.json`, 'utf8')) as Case[]) : []
	let agreed = 0
	const run = cases.map((one) => [one.name, one] as const)
	it.each(run)('%s', async (_name, one) => {
		const path = typeof one.config === 'string' ? 'config.alloy' : 'conf'
		if (typeof one.config === 'string') await writeFile(path, one.config)
		else {
			await rm(path, { recursive: true, force: true })
			await mkdir(path)
			for (const [file, text] of Object.entries(one.config)) await writeFile(join(path, file), text)
		}
		const got = await validate(['--stability.level=experimental', path])
		const plain = await validate([path])
		if (one.validate.rc !== 0) expect(plain).toEqual(one.validate)
		else {
			const said = (one.run?.stderr ?? []).filter((line) => !line.startsWith('level=')).join('\n')
			const runs = one.run === undefined || !one.run.exited_by_itself || runTimeOnly.test(said)
			if (runs) expect(plain).toEqual({ rc: 0, stdout: '', stderr: '' })
			else
				expect(got).toEqual({
					rc: 1,
					stdout: '\n',
					stderr: `${said.replace('could not perform the initial load successfully', 'validation failed')}\n`,
				})
		}
		agreed++
	})
	it('says how much agrees', () => {
		console.log(`validate: ${agreed}/${cases.length} agree`)
	})

	const archives = present ? readdirSync(`${folder}validator`).filter((name) => name.endsWith('.txtar')) : []
	it.each(archives)("agrees with the validator's own fixture %s", async (name) => {
		const text = readFileSync(`${folder}validator/${name}`, 'utf8')
		const wanted = readFileSync(`${folder}validator/${name.replace('.txtar', '.diags')}`, 'utf8')
		const config = text.slice(text.indexOf('-- main.alloy --\n') + '-- main.alloy --\n'.length)
		const stability: Stability = name.startsWith('non_ga') ? 'generally-available' : 'experimental'
		const source = { path: 'main.alloy', files: [{ name: 'main.alloy', text: config }] }
		const { problems, sources } = await validateConfiguration(source, {
			registry: alloyRegistry,
			stability,
			env: {},
		})
		expect(renderDiagnostics(problems, sources).trimEnd()).toBe(wanted.trimEnd())
	})
})
