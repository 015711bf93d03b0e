import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { validateConfiguration } from '../../src/graph/validate.ts'
import { type Diagnostic, formatDiagnostic } from '../../src/syntax/diag.ts'
import { alloyRegistry } from '../conformance/alloy-registry.ts'

async function check(
	text: string,
): Promise<{ problems: readonly Diagnostic[]; warnings: readonly Diagnostic[] }> {
	const source = { path: 't.alloy', files: [{ name: 't.alloy', text }] }
	return validateConfiguration(source, { registry: alloyRegistry, stability: 'experimental', env: {} })
}

const texts = (diagnostics: readonly Diagnostic[]): string[] => diagnostics.map(formatDiagnostic)

describe('validate, beyond Alloy', () => {
	let folder = ''
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'vor-deep-'))
	})
	afterAll(() => rm(folder, { recursive: true }))

	it.each([
		['the name that was meant', 'local.fil "x" { }', 'did you mean local.file?'],
		[
			'the attribute that was meant',
			'local.file "x" {\n\tfilename = "/x"\n\tdetecter = "poll"\n}',
			'did you mean "detector"?',
		],
		[
			'what its own block takes, not what another one does',
			'logging {\n\tformt = "json"\n}\nimport.http "x" {\n\turl = "http://127.0.0.1:1"\n\tclient {\n\t\tproxy_ur = "x"\n\t}\n}',
			'did you mean "format"?',
		],
		[
			'what a nested block takes, in a declare too',
			'declare "d" {\n\timport.http "x" {\n\t\turl = "http://127.0.0.1:1"\n\t\tclient {\n\t\t\ttls_config {\n\t\t\t\tcertfile = "x"\n\t\t\t}\n\t\t}\n\t}\n}\nd "x" { }',
			'did you mean "cert_file"?',
		],
		[
			'the block that was meant',
			'local.file "one" { filename = "/x" }\nlocal.file "b" { filename = local.file.on.content }',
			'did you mean local.file.one.content?',
		],
		[
			'that Vör lacks a component of Alloy',
			'loki.write "x" { }',
			'loki.write is a component of Alloy that Vör does not have',
		],
		[
			'what comes nearest to one',
			'discovery.kubernetes "x" { }',
			'discovery.kubernetes is a component of Alloy that Vör does not have',
		],
		[
			'the way round a cycle',
			'local.file "a" { filename = local.file.b.content }\nlocal.file "b" { filename = local.file.c.content }\nlocal.file "c" { filename = local.file.a.content }',
			'local.file.a → local.file.b → local.file.c → local.file.a',
		],
	])('says %s', async (_what, text, help) => {
		const { problems } = await check(text)
		expect(problems[0]?.help?.[0]).toContain(help)
	})

	it('tells every problem of run at once, in file order, each cause once', async () => {
		const { problems } = await check(`local.file "a" { filename = string.to_lower() }
declare "m" {
	local.file "i" { filename = [1][2] }
}
m "one" { }
m "two" { }
otelcol.exporter.otlp "o" {
	client { endpoint = otelcol.auth.basic.b.handler }
}
otelcol.auth.basic "b" {
	username = "u"
	password = local.file.a.content
}`)
		expect(texts(problems)).toEqual([
			't.alloy:1:29: string.to_lower expected 1 args, got 0',
			't.alloy:3:34: 2 index 2 is out of range of array with length 1',
			't.alloy:8:22: otelcol.auth.basic.b.handler should be string, got capsule',
		])
	})

	it('takes what only running would tell for what it may be', async () => {
		const { problems } = await check(`local.file "f" { filename = "/nowhere" }
local.file "g" { filename = string.split(local.file.f.content, ",")[3] + "x" }
prometheus.exporter.redis "r" { redis_addr = encoding.from_json(local.file.f.content).addr }
prometheus.scrape "s" {
	targets         = array.concat(prometheus.exporter.redis.r.targets, [])
	forward_to      = []
	scrape_interval = local.file.f.content
	scrape_timeout  = "5m"
}
import.http "far" { url = "http://127.0.0.1:1/never" }
far.thing "t" { a = 1 }
local.file "h" { filename = far.thing.t.path }
foreach "each" {
	collection = encoding.from_json(local.file.f.content)
	var        = "item"
	template {
		local.file "x" { filename = item.name }
	}
}`)
		expect(texts(problems)).toEqual([])
		const wrong = await check(`prometheus.exporter.redis "r" { redis_addr = "a" }
local.file "g" { filename = prometheus.exporter.redis.r.targets }`)
		expect(texts(wrong.problems)).toEqual([
			't.alloy:2:29: prometheus.exporter.redis.r.targets should be string, got array',
		])
	})

	it('reads modules on disk, and shows their own source', async () => {
		const path = join(folder, 'module.alloy')
		await writeFile(
			path,
			'declare "m" {\n\targument "f" { }\n\tlocal.file "x" { filename = [argument.f.value] }\n}\n',
		)
		const source = {
			path: 't.alloy',
			files: [
				{ name: 't.alloy', text: `import.file "ns" { filename = "${path}" }\nns.m "one" { f = "/x" }` },
			],
		}
		const { problems, moduleTexts } = await validateConfiguration(source, {
			registry: alloyRegistry,
			stability: 'experimental',
			env: {},
		})
		expect(texts(problems)).toEqual(['ns:3:30: [argument.f.value] should be string, got array'])
		expect(problems[0]?.start.origin).toBe(path)
		expect(moduleTexts.get(path)).toContain('argument "f"')
		await writeFile(path, 'declare "m" { x = }')
		const broken = await validateConfiguration(source, {
			registry: alloyRegistry,
			stability: 'experimental',
			env: {},
		})
		expect(broken.problems[0]?.message).toContain('custom component config not found in the registry')
		expect(broken.problems[0]?.help?.[0]).toContain('expected expression, got }')
	})

	it('knows remotecfg and the sampler of tracing, checks them as Alloy does, and says that they have no effect', async () => {
		const { problems, warnings } = await check(`remotecfg {
	url            = "http://127.0.0.1:1"
	poll_frequency = "10s"
	attributes     = { a = "b" }
	basic_auth {
		username = "u"
		password = "p"
	}
}
tracing {
	sampling_fraction = 0.5
	sampler {
		jaeger_remote {
			max_operations = 1
		}
	}
}`)
		expect(problems).toEqual([])
		expect(texts(warnings)).toEqual([
			't.alloy:1:1: "remotecfg" has no effect: Vör fetches no configuration from a server, only its files and their imports hold',
			't.alloy:10:1: "tracing" has no effect without write_to: there is nowhere to send traces',
			't.alloy:12:2: "sampler" is known but has no effect in Vör yet',
		])
		expect(texts((await check('remotecfg {\n\tpoll_frequency = "5s"\n}')).problems)[0]).toContain(
			'poll_frequency must be at least "10s", got "5s"',
		)
		expect(texts((await check('remotecfg {\n\tulr = "x"\n}')).problems)).toEqual([
			't.alloy:2:2: unrecognized attribute name "ulr"',
		])
	})

	it('warns of components nobody sends to and of outputs that lead nowhere', async () => {
		const { problems, warnings } = await check(`otelcol.processor.batch "b" {
	output { }
}`)
		expect(problems).toEqual([])
		expect(texts(warnings)).toEqual([
			't.alloy:1:1: nothing sends to otelcol.processor.batch.b',
			't.alloy:1:1: otelcol.processor.batch.b sends its output nowhere',
		])
	})
})
