export { compileGlob, type Glob } from './glob.ts'
export { type HostFact, hostFromRecord, hostToRecord, readHost } from './host.ts'
export { createResource, createResourceBuilder, type ResourceOptions } from './resource.ts'
export {
	compileSelection,
	DEFAULT_EXCLUDE,
	type SelectionRules,
	type SelectionSource,
	type SelectorSource,
} from './selection.ts'
export { createProcessTable, type ProcessTable, type ProcessTableOptions } from './table.ts'
