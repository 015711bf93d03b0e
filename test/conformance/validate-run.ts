import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runValidate } from '../../src/cli/validate.ts'
import type { Registry } from '../../src/graph/registry.ts'
import { captureIo } from '../syntax/capture-io.ts'
import { type ConformanceResult, differ, ownLines } from './result.ts'

interface Case {
	readonly name: string
	/** One file, or the files of a folder. */
	readonly config: string | Readonly<Record<string, string>>
	readonly validate: Outcome
	readonly run?: { readonly exited_by_itself: boolean; readonly stderr: readonly string[] }
}

interface Outcome {
	readonly rc: number
	readonly stdout: string
	readonly stderr: string
}

/** What only happens at run time: files that a component reads, which `validate` does not open. */
const runTimeOnly = /Failed to build component: building component: failed to read file/
const used =
	/\b(?:beyla|discovery|ebpf|local|loki|otelcol|prometheus|pyroscope|remote)\.[a-z_]+(?:\.[a-z_]+)?(?= ")/g

/**
 * What `alloy validate` printed and returned for 76 configurations; where it found nothing, what `alloy run` refused.
 * Cases with components that the registry lacks are left out and counted.
 */
export async function compareValidate(kind: string, registry: Registry): Promise<ConformanceResult> {
	const differences: string[] = []
	let notYet = 0
	let total = 0
	const home = process.cwd()
	const work = await mkdtemp(join(tmpdir(), 'vor-validate-'))
	process.chdir(work)
	try {
		for (const one of ownLines<Case>('cli-validate-run.jsonl')) {
			const text = typeof one.config === 'string' ? one.config : Object.values(one.config).join('\n')
			const unknown = (text.match(used) ?? []).some((name) => registry.get(name) === undefined)
			if (unknown && !/cannot find the definition/.test(one.validate.stderr)) {
				notYet++
				continue
			}
			total++
			const difference = await check(one, registry)
			if (difference !== undefined) differences.push(difference)
		}
	} finally {
		process.chdir(home)
		await rm(work, { recursive: true })
	}
	return { kind, agreed: total - differences.length, total, notYet, differences }
}

async function check(one: Case, registry: Registry): Promise<string | undefined> {
	const path = typeof one.config === 'string' ? 'config.alloy' : 'conf'
	await rm(path, { recursive: true, force: true })
	if (typeof one.config === 'string') await writeFile(path, one.config)
	else {
		await mkdir(path)
		for (const [file, text] of Object.entries(one.config)) await writeFile(join(path, file), text)
	}
	const validate = async (...flags: readonly string[]): Promise<Outcome> => {
		const io = captureIo()
		const rc = await runValidate([...flags, path], io, () => registry)
		return { rc, stdout: io.out(), stderr: io.err() }
	}
	if (one.validate.rc !== 0) return differ(one.name, one.validate, await validate())
	const said = (one.run?.stderr ?? []).filter((line) => !line.startsWith('level=')).join('\n')
	if (one.run?.exited_by_itself !== true || runTimeOnly.test(said))
		return differ(one.name, { rc: 0, stdout: '', stderr: '' }, await validate())
	const stderr = `${said.replace('could not perform the initial load successfully', 'validation failed')}\n`
	return differ(one.name, { rc: 1, stdout: '\n', stderr }, await validate('--stability.level=experimental'))
}
