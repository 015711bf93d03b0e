/** One file of a module or configuration. */
export interface SourceFile {
	readonly name: string
	readonly text: string
}

/** What an import block asks for, decoded. */
export type ImportRequest =
	| { readonly kind: 'import.string'; readonly content: string }
	| {
			readonly kind: 'import.file'
			readonly filename: string
			readonly detector: string
			readonly pollMs: number
	  }
	| {
			readonly kind: 'import.http'
			readonly url: string
			readonly method: string
			readonly headers: Readonly<Record<string, string>>
			readonly body: string
			readonly pollMs: number
			readonly timeoutMs: number
	  }
	| {
			readonly kind: 'import.git'
			readonly repository: string
			readonly revision: string
			readonly path: string
			readonly pollMs: number
			readonly environment: Readonly<Record<string, string>>
	  }

export interface Fetched {
	readonly files: readonly SourceFile[]
	/** What `module_path` is inside the module. */
	readonly modulePath: string
}

/** Thrown by a fetcher that must not look: what the module holds is not known. */
export class UnseenModule extends Error {}

/** Reads modules and notices their changes. `validate` has one that opens no network. */
export interface Fetcher {
	fetch(request: ImportRequest, storagePath: string): Promise<Fetched>
	/** Calls `changed` when the module may have changed, until it is closed. */
	watch(request: ImportRequest, changed: () => void): { close(): void }
}
