import { type ArgsSchema, attr, block, defineArgs, optionalBlock } from '../eval/args.ts'
import { formatDuration } from '../eval/duration.ts'
import {
	anyValue,
	bool,
	capsule,
	duration,
	enumOf,
	float,
	int,
	list,
	map,
	optionalSecret,
	secret,
	string,
} from '../eval/types.ts'
import type { TelemetryConsumer } from '../flow/ports.ts'
import type { Stability } from './component.ts'
import { http } from './http-block.ts'
import { clientTls, httpClient, httpClientFields, httpClientProblem } from './http-client-args.ts'

const level = enumOf(['info', 'error', 'warn', 'debug'], (text) => `unrecognized log level "${text}"`)
const format = enumOf(['logfmt', 'json'], (text) => `unrecognized log format "${text}"`)

const logging = defineArgs({
	level: attr(level, { doc: 'Lowest level that is written.' }),
	format: attr(format, { doc: 'Form of the lines.' }),
	write_to: attr(list(capsule('loki.LogsReceiver')), {
		doc: 'Where log lines go besides standard error.',
		notYet: true,
	}),
	destination: attr(string, { default: 'stderr', doc: 'Where log lines are written.', notYet: true }),
})

const tracing = defineArgs({
	sampling_fraction: attr(float, {
		default: 0.1,
		doc: 'Share of Vör’s own traces that is kept: 0 none, 1 all.',
	}),
	write_to: attr(list(capsule<TelemetryConsumer>('otelcol.Consumer')), {
		doc: 'Where Vör’s own traces go; without it none is made.',
	}),
	send_traceparent: attr(bool, {
		doc: 'Send the `traceparent` header with requests of `import.http` that are part of such a trace.',
	}),
	sampler: optionalBlock(
		{
			jaeger_remote: optionalBlock({
				url: attr(string, { default: 'http://127.0.0.1:5778/sampling', doc: 'Who says what to sample.' }),
				max_operations: attr(int, { default: 256, doc: 'How many operations are told apart.' }),
				refresh_interval: attr(duration, { default: 60_000, doc: 'How often to ask.' }),
			}),
		},
		{ notYet: true, doc: 'Sampling by a server, instead of `sampling_fraction`.' },
	),
})

export type TracingArgs = ReturnType<typeof tracing.defaults>

const livedebugging = defineArgs({
	enabled: attr(bool, { doc: 'Serve what components pass on at `/api/v0/web/debug/ID`.' }),
})

const remotecfg = defineArgs(
	{
		url: attr(string, { doc: 'Of a server that Vör does not ask.' }),
		tunnel_url: attr(string),
		id: attr(string),
		name: attr(string),
		attributes: attr(map(string)),
		poll_frequency: attr(duration, { default: 60_000 }),
		...httpClientFields,
	},
	{
		validate(args) {
			if (args.url === '' && args.tunnel_url !== '') return 'tunnel_url requires url to be set'
			if (args.poll_frequency < 10_000)
				return `poll_frequency must be at least "10s", got "${formatDuration(args.poll_frequency)}"`
			return httpClientProblem(args)
		},
	},
)

/** Blocks that are taken as Alloy takes them and change nothing here, with the warning that says so. */
export const idleBlocks: ReadonlyMap<string, string> = new Map([
	[
		'remotecfg',
		'"remotecfg" has no effect: Vör fetches no configuration from a server, only its files and their imports hold',
	],
])

/** Blocks that configure Vör itself: at the root, once, without a label. */
export const serviceBlocks: ReadonlyMap<string, ArgsSchema<unknown>> = new Map<string, ArgsSchema<unknown>>([
	['http', http],
	['livedebugging', livedebugging],
	['logging', logging],
	['remotecfg', remotecfg],
	['tracing', tracing],
])

/** Of those, the ones Alloy keeps with `argument`, `export` and the imports: their errors are worded differently. */
export const rootConfigNames: ReadonlySet<string> = new Set(['logging', 'tracing'])

const fileWatch = {
	filename: attr(string, { required: true, doc: 'File, or folder of files, that holds the module.' }),
	detector: attr(
		enumOf(['fsnotify', 'poll'], (text) => `invalid detector "${text}", expected fsnotify or poll`),
		{ doc: 'How changes are noticed.' },
	),
	poll_frequency: attr(duration, { default: 60_000, doc: 'How often to look when polling.' }),
}

const importHttp = defineArgs({
	url: attr(string, { required: true, doc: 'Where the module is fetched.' }),
	poll_frequency: attr(duration, { default: 60_000, doc: 'How often to look for changes.' }),
	poll_timeout: attr(duration, { default: 10_000, doc: 'Longest time for one look.' }),
	method: attr(string, { default: 'GET', doc: 'How it is asked.' }),
	headers: attr(map(string), { doc: 'Sent with the request; shown as they are, so no secrets.' }),
	body: attr(string, { doc: 'Sent with the request.' }),
	client: block(httpClient, { doc: 'How the server is reached, and as whom.' }),
})

const importGit = defineArgs({
	repository: attr(string, { required: true, doc: 'Address as `git clone` takes it.' }),
	revision: attr(string, { default: 'HEAD', doc: 'Branch, tag or commit.' }),
	path: attr(string, { required: true, doc: 'File, or folder of files, in the repository.' }),
	pull_frequency: attr(duration, { default: 60_000, doc: 'How often to look for changes; `0s`: once.' }),
	proxy_url: attr(string, { doc: 'Proxy for `http://` and `https://` repositories.' }),
	no_proxy: attr(string, { doc: 'Hosts that are reached without it, separated by commas.' }),
	proxy_from_environment: attr(bool, { doc: 'Let git take both from the environment.' }),
	basic_auth: optionalBlock({
		username: attr(string, { required: true }),
		password: attr(secret, { required: true, doc: 'Never printed.' }),
	}),
	ssh_key: optionalBlock({
		username: attr(string, { required: true, doc: 'Wins over one in the address.' }),
		key: attr(secret, { doc: 'Private key; never printed.' }),
		key_file: attr(string, { doc: 'Path of the private key.' }),
		passphrase: attr(secret, { doc: 'Of the private key; never printed.' }),
	}),
	tls_config: block(clientTls),
})

export const importFile = defineArgs(fileWatch)
export const importString = defineArgs({
	content: attr(optionalSecret, { required: true, doc: 'The module’s text.' }),
})
export { importGit, importHttp }

/** `argument "x"`: what a module takes. */
export const argumentBlock = defineArgs({
	optional: attr(bool, { doc: 'Need not be given.' }),
	default: attr(anyValue, { doc: 'What it is when it is not given.' }),
	comment: attr(string, { doc: 'For people.' }),
})

/** `export "x"`: what a module gives. */
export const exportBlock = defineArgs({
	value: attr(anyValue, { required: true, doc: 'What users of the module see.' }),
})

/** `foreach "x"` without its `template`. */
export const foreachBlock = defineArgs({
	collection: attr(list(anyValue), { required: true, doc: 'One module for each item.' }),
	var: attr(string, { required: true, doc: 'What the item is called in the template.' }),
	id: attr(string, {
		doc: 'Field of an item that tells it from others; it keeps its module when others come and go.',
	}),
	hash_string_id: attr(bool, { doc: 'Name the modules by a hash of that.' }),
	enable_metrics: attr(bool, { doc: 'Accepted: metrics of components inside are always there.' }),
})

export const foreachStability: Stability = 'experimental'

/** Blocks with a label that are no components, with their arguments. */
export const configBlocks: ReadonlyMap<string, ArgsSchema<unknown>> = new Map<string, ArgsSchema<unknown>>([
	['argument', argumentBlock],
	['export', exportBlock],
	['foreach', foreachBlock],
	['import.file', importFile],
	['import.git', importGit],
	['import.http', importHttp],
	['import.string', importString],
])
