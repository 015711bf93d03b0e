import type { Secret } from '../eval/values.ts'
import type { HttpClientArgs } from './http-client-args.ts'

/** One file of a module or configuration. */
export interface SourceFile {
	readonly name: string
	readonly text: string
}

/** A module is text that people write; anything bigger is a mistake or an attack. */
export const maxModuleBytes = 16 * 1024 * 1024

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
			readonly client: HttpClientArgs
	  }
	| {
			readonly kind: 'import.git'
			readonly repository: string
			readonly revision: string
			readonly path: string
			/** 0: looked at once. */
			readonly pollMs: number
			readonly auth: GitAuth | undefined
			readonly proxy: { readonly url: string; readonly except: string; readonly fromEnvironment: boolean }
			readonly tls: HttpClientArgs['tls_config']
	  }

export type GitAuth =
	| { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
	| {
			readonly kind: 'ssh'
			readonly username: string
			readonly key: Secret
			readonly keyFile: string
			readonly passphrase: Secret
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
	/** `ending`: Vör is being stopped, nobody waits for an answer any more. */
	fetch(request: ImportRequest, storagePath: string, ending?: AbortSignal): Promise<Fetched>
	/** Calls `changed` when the module may have changed, until it is closed. */
	watch(request: ImportRequest, changed: () => void): { close(): void }
}
