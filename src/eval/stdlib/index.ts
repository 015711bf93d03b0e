import { arch, hostname } from 'node:os'
import type { Scope } from '../scope.ts'
import { secret, string } from '../types.ts'
import { ObjectValue, stringValue, type Value } from '../values.ts'
import { coalesce, combineMaps, concat, groupBy } from './arrays.ts'
import {
	fromBase64,
	fromJson,
	fromUrlBase64,
	fromYaml,
	toBase64,
	toJson,
	toUrlBase64,
	urlDecode,
	urlEncode,
} from './encoding.ts'
import { format } from './format.ts'
import { typedFunction } from './function.ts'
import { jsonPath } from './json-path.ts'
import {
	join,
	pathJoin,
	replace,
	split,
	toLower,
	toUpper,
	trim,
	trimPrefix,
	trimSpace,
	trimSuffix,
} from './strings.ts'

const nonsensitive = typedFunction('convert.nonsensitive', [secret], (data) => stringValue(data.reveal()))

const goArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** Full names of what needs `--stability.level=experimental`. */
export const experimentalNames: ReadonlySet<string> = new Set(['array.combine_maps', 'array.group_by'])

/** Old names that still work: what to write instead. */
export const deprecatedNames: ReadonlyMap<string, string> = new Map([
	['env', 'sys.env'],
	['nonsensitive', 'convert.nonsensitive'],
	['concat', 'array.concat'],
	['json_decode', 'encoding.from_json'],
	['yaml_decode', 'encoding.from_yaml'],
	['base64_decode', 'encoding.from_base64'],
	['format', 'string.format'],
	['join', 'string.join'],
	['replace', 'string.replace'],
	['split', 'string.split'],
	['to_lower', 'string.to_lower'],
	['to_upper', 'string.to_upper'],
	['trim', 'string.trim'],
	['trim_prefix', 'string.trim_prefix'],
	['trim_suffix', 'string.trim_suffix'],
	['trim_space', 'string.trim_space'],
])

/** The standard library; `env` is what `sys.env` reads, `version` what `constants.version` says. */
export function createStdlib(
	env: Readonly<Record<string, string | undefined>>,
	version = '0.1.0',
): ReadonlyMap<string, Value> {
	const readEnv = typedFunction('sys.env', [string], (name) => stringValue(env[name] ?? ''))
	const namespaces: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
		constants: {
			hostname: stringValue(hostname()),
			os: stringValue(process.platform),
			arch: stringValue(goArch[arch()] ?? arch()),
			version: stringValue(`v${version.replace(/^v/, '')}`),
		},
		sys: { env: readEnv },
		convert: { nonsensitive },
		array: { concat, combine_maps: combineMaps, group_by: groupBy },
		encoding: {
			from_json: fromJson,
			from_yaml: fromYaml,
			from_base64: fromBase64,
			from_URLbase64: fromUrlBase64,
			to_json: toJson,
			to_base64: toBase64,
			to_URLbase64: toUrlBase64,
			url_encode: urlEncode,
			url_decode: urlDecode,
		},
		string: {
			format,
			join,
			replace,
			split,
			to_lower: toLower,
			to_upper: toUpper,
			trim,
			trim_prefix: trimPrefix,
			trim_suffix: trimSuffix,
			trim_space: trimSpace,
		},
		file: { path_join: pathJoin },
	}
	const names = new Map<string, Value>([
		['coalesce', coalesce],
		['json_path', jsonPath],
	])
	for (const [name, fields] of Object.entries(namespaces))
		names.set(name, new ObjectValue(new Map(Object.entries(fields))))
	for (const [old, now] of deprecatedNames) {
		const [space, name] = now.split('.') as [string, string]
		names.set(old, namespaces[space]![name]!)
	}
	return names
}

export const stdlibScope = (names: ReadonlyMap<string, Value>): Scope => ({
	lookup: (name) => names.get(name),
})
