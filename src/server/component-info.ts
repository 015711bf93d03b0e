/** A component as `/api/v0/web/components` shows it: Alloy's shape, key for key and in Alloy's order. */
export interface ComponentInfo {
	readonly name: string
	readonly type: 'block'
	readonly localID: string
	/** '' in the root module. */
	readonly moduleID: string
	readonly label: string
	readonly referencesTo: readonly string[]
	readonly referencedBy: readonly string[]
	readonly dataFlowEdgesTo: readonly string[]
	readonly health: ComponentHealth
	readonly original: string
	/** Filled only where one component is asked for; empty in the list. */
	readonly arguments: readonly BodyItem[]
	readonly exports: readonly BodyItem[]
	readonly debugInfo: readonly BodyItem[]
	readonly createdModuleIDs?: readonly string[]
	readonly liveDebuggingEnabled: boolean
}

export interface ComponentHealth {
	readonly state: 'healthy' | 'unhealthy' | 'unknown' | 'exited'
	readonly message: string
	/** RFC 3339. */
	readonly updatedTime: string
}

export type BodyItem =
	| { readonly name: string; readonly type: 'attr'; readonly value: BodyValue }
	| {
			readonly name: string
			readonly type: 'block'
			readonly label?: string
			readonly body: readonly BodyItem[]
	  }

export type BodyValue =
	| { readonly type: 'null' }
	| { readonly type: 'number' | 'string' | 'capsule' | 'function'; readonly value: string }
	| { readonly type: 'bool'; readonly value: boolean }
	| { readonly type: 'array'; readonly value: readonly BodyValue[] }
	| {
			readonly type: 'object'
			readonly value: readonly { readonly key: string; readonly value: BodyValue }[]
	  }
