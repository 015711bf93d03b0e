import { statSync } from 'node:fs'
import { LRUCache } from 'lru-cache'
import { openElf } from '../elf/file.ts'
import { probeSite } from '../elf/probe-address.ts'
import { type ExecutableKind, inspectExecutable } from '../elf/runtime.ts'
import { findSymbols } from '../elf/symbols.ts'

export interface ExecutableInfo {
	/** `device:inode`, '' when it could not be read. */
	readonly key: string
	readonly kind: ExecutableKind
	/** Where our uprobes go in it. */
	readonly sites: readonly { readonly program: string; readonly symbol: string; readonly offset: number }[]
}

/** Our uprobe programs per executable name, with the exported symbol each hangs on. */
const PROBES: Readonly<Record<string, readonly (readonly [program: string, symbol: string])[]>> = {
	nginx: [['vor_nginx_chain_writer', 'ngx_chain_writer']],
}

/** Replaced files get a new inode; a file written in place gets a new time. */
const cache = new LRUCache<string, ExecutableInfo>({ max: 2048 })

const UNKNOWN: ExecutableInfo = {
	key: '',
	kind: { language: 'generic', goModule: '', runtimeVersion: '', linkedExporters: 'none' },
	sites: [],
}

/** Looks into an executable once per file. `name` is its file name in the target's own view. */
export function inspectPath(path: string, name: string): ExecutableInfo {
	let key: string
	let version: string
	try {
		const stat = statSync(path)
		key = `${stat.dev}:${stat.ino}`
		version = `${key}:${stat.mtimeMs}:${stat.size}`
	} catch {
		return UNKNOWN
	}
	const known = cache.get(version)
	if (known !== undefined) return known
	const file = openElf(path)
	if (file === undefined) return { ...UNKNOWN, key }
	try {
		const wanted = PROBES[name] ?? []
		const symbols =
			wanted.length === 0
				? new Map()
				: findSymbols(
						file,
						wanted.map(([, symbol]) => symbol),
					)
		const sites: { program: string; symbol: string; offset: number }[] = []
		for (const [program, symbol] of wanted) {
			const found = symbols.get(symbol)
			const offset = found === undefined ? undefined : probeSite(file, found)
			if (offset !== undefined) sites.push({ program, symbol, offset })
		}
		const info = { key, kind: inspectExecutable(file), sites }
		cache.set(version, info)
		return info
	} finally {
		file.close()
	}
}
