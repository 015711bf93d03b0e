import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createComponentRegistry } from '../../src/components/registry.ts'
import { createServices } from '../../src/components/services.ts'
import { validateConfiguration } from '../../src/graph/validate.ts'

const fixture = fileURLToPath(new URL('../../../shared/alloy/beyla-validate.json', import.meta.url))
const present = existsSync(fixture)
if (!present) console.warn('beyla: ../shared/alloy is absent, its cases are not compared')

interface Case {
	readonly name: string
	readonly config: string
	readonly error: string | null
}

const registry = createComponentRegistry(
	createServices({
		version: '',
		source: undefined,
		tap: undefined,
		resourceOf: () => {
			throw new Error('nothing runs here')
		},
	}),
)

async function problems(text: string): Promise<string> {
	const source = { path: 'x.alloy', files: [{ name: 'x.alloy', text }] }
	const result = await validateConfiguration(source, { registry, stability: 'generally-available', env: {} })
	return result.problems.map((one) => one.message).join('\n')
}

async function warnings(text: string): Promise<readonly string[]> {
	const source = { path: 'x.alloy', files: [{ name: 'x.alloy', text }] }
	const result = await validateConfiguration(source, { registry, stability: 'generally-available', env: {} })
	expect(result.problems).toEqual([])
	return result.warnings.map((one) => one.message)
}

const beyla = (body: string) => `beyla.ebpf "default" {\n${body}\n}\n`

describe.skipIf(!present)('every given case', () => {
	const cases = present ? (JSON.parse(readFileSync(fixture, 'utf8')) as { cases: Case[] }).cases : []
	it.each(cases.map((one, index) => [index, one] as const))('%i is judged as Alloy does', async (_, one) => {
		const found = await problems(one.config)
		if (one.error === null || one.name.includes('ours should accept it')) expect(found).toBe('')
		else expect(found).toContain(one.error)
	})
})

describe('the checks of beyla.ebpf', () => {
	it.each([
		[
			'trace_printer = "loud"',
			'trace_printer: invalid value "loud". Valid values are: counter, disabled, json, json_indent, text',
		],
		['metrics {\nfeatures = ["x"]\n}', 'metrics.features: invalid value "x"'],
		['traces {\ninstrumentations = ["x"]\n}\noutput { }', 'traces.instrumentations: invalid value "x"'],
		[
			'traces {\nsampler {\nname = "traceidratio"\n}\n}\noutput { }',
			'sampler "traceidratio" requires an arg parameter with a ratio value between 0 and 1',
		],
		[
			'traces {\nsampler {\nname = "traceidratio"\narg = "1.5"\n}\n}\noutput { }',
			'invalid arg "1.5" for sampler "traceidratio": ratio must be between 0 and 1 (inclusive)',
		],
		[
			'traces {\nsampler {\nname = "some"\n}\n}\noutput { }',
			'invalid sampler name "some". Valid values are: always_off, always_on, parentbased_always_off, parentbased_always_on, parentbased_traceidratio, traceidratio',
		],
		[
			'discovery {\nexclude_instrument {\nname = "x"\n}\n}',
			'invalid exclude_instrument configuration: discovery.services[0] must define at least one of: open_ports, exe_path, cmd_args, or kubernetes configuration',
		],
		[
			'metrics {\nfeatures = ["all"]\n}\ndiscovery {\nsurvey {\nlanguages = "go"\n}\n}',
			'invalid survey configuration: discovery.services[0] must define',
		],
		[
			'internal_metrics {\nexporter = "otel"\n}',
			'internal_metrics.exporter = "otel" requires output.metrics to be configured',
		],
		['discovery {\ninstrument {\nopen_ports = "99999"\n}\n}', 'is above 65535'],
		['discovery {\nservices {\nexe_path = "("\n}\n}', 'exe_path "("'],
		['discovery {\ninstrument {\ntarget_pids = [1]\n}\n}', 'unrecognized attribute name "target_pids"'],
		['nonsense = 1', 'unrecognized attribute name "nonsense"'],
		['attributes {\nkubernetes {\ncluster_name = "x"\n}\n}', 'missing required attribute "enable"'],
	])('%s', async (body, message) => {
		expect(await problems(beyla(body))).toContain(message)
	})

	it('application_jvm and application_runtime ask for no discovery', async () => {
		expect(await problems(beyla('metrics {\nfeatures = ["application_jvm", "application_runtime"]\n}'))).toBe(
			'',
		)
	})

	it('an exclude entry with a Kubernetes condition is a condition, but not with annotations alone', async () => {
		const entry = (line: string) => beyla(`discovery {\nexclude_instrument {\nkubernetes {\n${line}\n}\n}\n}`)
		expect(await problems(entry('pod_labels = {app = "x"}'))).toBe('')
		expect(await problems(entry('pod_annotations = {app = "x"}'))).toContain('must define at least one of')
	})

	it('what is known and has no effect yet is named, what is deprecated too', async () => {
		const found = await warnings(
			beyla(`open_port = "80"
filters {
	application {
		attr  = "url.path"
		match = "/x"
	}
}
ebpf {
	context_propagation = "all"
}
discovery {
	services {
		exe_path = "^/opt/"
	}
}`),
		)
		expect(found).toContain('"filters" is known but has no effect in Vör yet')
		expect(found).toContain('"context_propagation" is known but has no effect in Vör yet')
		expect(found.some((one) => one.includes('"open_port" is deprecated'))).toBe(true)
		expect(found.some((one) => one.includes('"services" is deprecated'))).toBe(true)
	})
})
