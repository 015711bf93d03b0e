import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineDiscoveryProcess } from '../../src/components/discovery/process/component.ts'
import { defineRelabel } from '../../src/components/discovery/relabel/component.ts'
import { compileRule, type RelabelRule, relabel } from '../../src/components/discovery/relabel/rules.ts'
import { defineLocalFile } from '../../src/components/local/file/component.ts'
import { printValue } from '../../src/eval/print.ts'
import type { AnyDefinition } from '../../src/graph/component.ts'
import { createGraph, type Graph } from '../../src/graph/graph.ts'
import { createRegistry } from '../../src/graph/registry.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'

let folder: string
let graph: Graph

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'vor-components-'))
	graph = createGraph({
		registry: createRegistry([
			defineLocalFile(),
			defineRelabel(),
			defineDiscoveryProcess(),
		] as AnyDefinition[]),
		accounting: createAccounting(),
		logger: createLog({ write: () => {} }),
		storagePath: folder,
		stabilityLevel: 'generally-available',
	})
})
afterEach(async () => {
	await graph.stop(1000)
	rmSync(folder, { recursive: true, force: true })
})

const load = (text: string) => graph.load({ path: 'config.alloy', files: [{ name: 'config.alloy', text }] })
const info = (id: string) => graph.components().find((one) => one.localId === id)
const exported = (id: string) => {
	const value = info(id)?.exports
	return value === undefined ? '' : printValue(value)
}

async function until(check: () => boolean, what: string): Promise<void> {
	for (let i = 0; i < 100; i++) {
		if (check()) return
		await new Promise((resolve) => setTimeout(resolve, 50))
	}
	throw new Error(`did not happen: ${what}`)
}

describe('local.file', () => {
	const pair = (file: string) => `local.file "f" { filename = "${file}" }
discovery.relabel "r" { targets = [{"name" = local.file.f.content}] }`

	it('hands on the content and follows a file that is replaced by rename', async () => {
		const file = join(folder, 'name')
		writeFileSync(file, 'one')
		expect((await load(pair(file))).ok).toBe(true)
		expect(exported('discovery.relabel.r')).toContain('"one"')
		writeFileSync(`${file}.new`, 'two')
		renameSync(`${file}.new`, file)
		await until(() => exported('discovery.relabel.r').includes('"two"'), 'the new content')
	})

	it('refuses to be built over a file that is not there, with the text of Alloy', async () => {
		const result = await load('local.file "f" { filename = "/no/such" }')
		expect(result.ok).toBe(false)
		expect(result.diagnostics[0]?.message).toBe(
			'Failed to build component: building component: failed to read file: open /no/such: no such file or directory',
		)
	})

	it('is unhealthy and keeps its content when the file vanishes, and healthy when it comes back', async () => {
		const file = join(folder, 'gone')
		writeFileSync(file, 'kept')
		await load(pair(file))
		rmSync(file)
		await until(() => info('local.file.f')?.health.state === 'unhealthy', 'unhealthy')
		expect(info('local.file.f')?.health.message).toBe(
			`failed to read file: open ${file}: no such file or directory`,
		)
		expect(exported('discovery.relabel.r')).toContain('"kept"')
		writeFileSync(file, 'again')
		await until(() => exported('discovery.relabel.r').includes('"again"'), 'the file that came back')
		expect(info('local.file.f')?.health.state).toBe('healthy')
	})

	it('never shows a secret', async () => {
		const file = join(folder, 'secret')
		writeFileSync(file, 'hunter2')
		await load(`local.file "f" {
	filename  = "${file}"
	is_secret = true
}`)
		expect(exported('local.file.f')).toContain('secret')
		expect(exported('local.file.f')).not.toContain('hunter2')
	})
})

describe('discovery.process', () => {
	it('finds this very process with its labels, and joins it with a given target', async () => {
		await load(`discovery.process "p" { join = [{"__process_pid__" = "${process.pid}", "team" = "vor"}] }`)
		await until(() => exported('discovery.process.p').includes('__meta_process_exe'), 'processes')
		const text = exported('discovery.process.p')
		expect(text).toContain(`"${process.pid}"`)
		expect(text).toContain(process.execPath)
		expect(text).toContain('"vor"')
	})
})

describe('discovery.relabel', () => {
	const rule = (given: Partial<RelabelRule>): RelabelRule => ({
		source_labels: [],
		separator: ';',
		regex: '(.*)',
		modulus: 0,
		target_label: '',
		replacement: '$1',
		action: 'replace',
		...given,
	})
	const one = { __address__: 'host:80', job: 'web', env: 'prod' }
	const port = rule({
		source_labels: ['__address__'],
		regex: '([^:]+):(\\d+)',
		target_label: 'port',
		replacement: '$' + '{2}',
	})

	it.each([
		['replace', port, { ...one, port: '80' }],
		['replace without a match', rule({ source_labels: ['job'], regex: 'api', target_label: 'x' }), one],
		[
			'replace with nothing removes',
			rule({ target_label: 'env', replacement: '' }),
			{ __address__: 'host:80', job: 'web' },
		],
		[
			'several sources',
			rule({ source_labels: ['job', 'env'], target_label: 'both' }),
			{ ...one, both: 'web;prod' },
		],
		[
			'uppercase',
			rule({ source_labels: ['job'], target_label: 'job', action: 'uppercase' }),
			{ ...one, job: 'WEB' },
		],
		['labelmap', rule({ regex: '__(.+)__', action: 'labelmap' }), { ...one, address: 'host:80' }],
		['labeldrop', rule({ regex: 'e.*', action: 'labeldrop' }), { __address__: 'host:80', job: 'web' }],
		['labelkeep', rule({ regex: 'job', action: 'labelkeep' }), { job: 'web' }],
		// md5("web") mod 1000, last eight bytes, as Prometheus takes them.
		[
			'hashmod',
			rule({ source_labels: ['job'], modulus: 1000, target_label: 'shard', action: 'hashmod' }),
			{ ...one, shard: '669' },
		],
	])('does what Prometheus does: %s', (_, given, expected) => {
		expect(relabel([one], [compileRule(given)])).toEqual([expected])
	})

	it.each([
		['keep', rule({ source_labels: ['job'], regex: 'web', action: 'keep' }), 1],
		['keep is anchored', rule({ source_labels: ['job'], regex: 'we', action: 'keep' }), 0],
		['drop', rule({ source_labels: ['job'], regex: 'web|api', action: 'drop' }), 0],
		['keepequal', rule({ source_labels: ['job'], target_label: 'env', action: 'keepequal' }), 0],
		['dropequal', rule({ source_labels: ['job'], target_label: 'env', action: 'dropequal' }), 1],
	])('keeps or drops: %s', (_, given, count) => {
		expect(relabel([one], [compileRule(given)])).toHaveLength(count)
	})

	it('says what is wrong with a rule', async () => {
		const result = await load(
			'discovery.relabel "r" {\n\ttargets = []\n\n\trule {\n\t\taction = "hashmod"\n\t\ttarget_label = "x"\n\t}\n}',
		)
		expect(result.ok).toBe(false)
		expect(result.diagnostics[0]?.message).toContain('requires non-zero modulus')
	})
})
