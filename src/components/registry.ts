import type { AnyDefinition } from '../graph/component.ts'
import { createRegistry, type Registry } from '../graph/registry.ts'
import { defineBeyla } from './beyla/ebpf/component.ts'
import { defineDiscoveryProcess } from './discovery/process/component.ts'
import { defineRelabel } from './discovery/relabel/component.ts'
import { defineAggregate } from './ebpf/aggregate/component.ts'
import { defineCorrelate } from './ebpf/correlate/component.ts'
import { defineDecode } from './ebpf/decode/component.ts'
import { definePropagate } from './ebpf/propagate/component.ts'
import { defineRingbuf } from './ebpf/ringbuf/component.ts'
import { defineLocalFile } from './local/file/component.ts'
import { defineDebugExporter } from './otelcol/exporter-debug/component.ts'
import { defineOtlpExporter } from './otelcol/exporter-otlp/component.ts'
import type { Services } from './services.ts'

/** Adding a component is its folder and one line here. */
const components = [
	defineRingbuf,
	defineDecode,
	defineCorrelate,
	definePropagate,
	defineAggregate,
	defineBeyla,
	defineOtlpExporter,
	defineDebugExporter,
	defineLocalFile,
	defineDiscoveryProcess,
	defineRelabel,
]

export function createComponentRegistry(services: Services): Registry {
	return createRegistry(components.map((define) => define(services) as AnyDefinition))
}
