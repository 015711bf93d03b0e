import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NEVER } from 'rxjs'
import type { BeylaArgs } from '../components/beyla/ebpf/args.ts'
import { selectionSource } from '../components/beyla/ebpf/discovery.ts'
import { selectionOf } from '../components/common/discovery-args.ts'
import type { RingbufArgs } from '../components/ebpf/ringbuf/component.ts'
import { createComponentRegistry } from '../components/registry.ts'
import { createServices } from '../components/services.ts'
import type { TelemetryConsumer } from '../flow/ports.ts'
import type { AnyDefinition } from '../graph/component.ts'
import { type ComponentInfo, createGraph } from '../graph/graph.ts'
import { createRegistry } from '../graph/registry.ts'
import { compileSelection, type SelectionRules } from '../process/selection.ts'
import { createAccounting } from '../telemetry/accounting.ts'
import { createLog } from '../telemetry/log.ts'
import { version } from '../util/version.ts'
import type { CliIo } from './command.ts'
import { refuseLoad } from './pipeline-runtime.ts'
import { readConfiguration } from './read-configuration.ts'

/** Whom one `beyla.ebpf` or `ebpf.ringbuf` of a pipeline instruments. */
export interface PipelineSelection {
	/** `beyla.ebpf.default`, inside a module `m.one/beyla.ebpf.default`. */
	readonly id: string
	readonly rules: SelectionRules
}

/**
 * The discovery rules of a pipeline, in the order of the file. It is evaluated as `vor run` would (modules, references,
 * `sys.env`), but nothing is attached and nothing leaves: no kernel, and exporters that swallow. undefined when it does not
 * load; then the reason stands on stderr.
 */
export async function pipelineSelections(
	path: string,
	io: CliIo,
): Promise<readonly PipelineSelection[] | undefined> {
	const source = await readConfiguration(path)
	const services = createServices({
		version: version(),
		resourceOf() {
			throw new Error('no span is made here')
		},
		source: () => NEVER,
		tap: undefined,
	})
	const storagePath = mkdtempSync(join(tmpdir(), 'vor-ps-'))
	const graph = createGraph({
		registry: createRegistry(createComponentRegistry(services).list().map(withoutExport)),
		accounting: createAccounting(),
		logger: createLog({ level: 'error', write: (line) => void io.stderr.write(line) }),
		storagePath,
		stabilityLevel: 'experimental',
		env: io.env,
		version: `v${version()}`,
	})
	try {
		const loaded = await graph.load(source)
		if (!loaded.ok) {
			refuseLoad(loaded, io)
			return undefined
		}
		return graph.components().flatMap(selectionOfComponent)
	} finally {
		await graph.stop(1000)
		rmSync(storagePath, { recursive: true, force: true })
	}
}

function selectionOfComponent({ name, moduleId, localId, args }: ComponentInfo): PipelineSelection[] {
	const source =
		name === 'beyla.ebpf'
			? selectionSource(args as BeylaArgs)
			: name === 'ebpf.ringbuf'
				? selectionOf((args as RingbufArgs).discovery)
				: undefined
	if (source === undefined) return []
	return [{ id: moduleId === '' ? localId : `${moduleId}/${localId}`, rules: compileSelection(source).rules }]
}

/** An exporter that opens no connection and no file. */
function withoutExport(definition: AnyDefinition): AnyDefinition {
	if (!definition.name.startsWith('otelcol.exporter.')) return definition
	return {
		...definition,
		build(options) {
			const input: TelemetryConsumer = {
				kind: 'telemetry',
				owner: options.id,
				mutates: false,
				traces: undefined,
				metrics: undefined,
			}
			options.onStateChange({ input })
			return { update: () => undefined, stop: async () => {} }
		},
	}
}
