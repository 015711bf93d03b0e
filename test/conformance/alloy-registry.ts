import {
	type ArgsSchema,
	attr,
	block,
	blocks,
	defineArgs,
	defineExports,
	optionalBlock,
} from '../../src/eval/args.ts'
import { valueError } from '../../src/eval/errors.ts'
import { any } from '../../src/eval/native.ts'
import {
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
} from '../../src/eval/types.ts'
import { optionalSecretValue, UnknownValue } from '../../src/eval/values.ts'
import type { AnyDefinition, Stability } from '../../src/graph/component.ts'
import { createRegistry, type Registry } from '../../src/graph/registry.ts'

/**
 * Shapes of the Alloy components that the fixtures use, so that the language is compared on all of them, whichever Vör has.
 * They are never built.
 */
const consumer = capsule<object>('otelcol.Consumer')
const appendable = capsule<object>('storage.Appendable')
const handler = capsule<object>('otelcol.Handler')
const consumers = list(consumer)
const targets = list(map(string))

const output = block(
	{ metrics: attr(consumers), logs: attr(consumers), traces: attr(consumers) },
	{ required: true },
)

function define(
	name: string,
	args: ArgsSchema<unknown>,
	exports: AnyDefinition['exports'],
	more: Partial<AnyDefinition> = {},
): AnyDefinition {
	return {
		name,
		stability: 'generally-available' as Stability,
		args,
		exports,
		metadata: { summary: 'fixture', consumes: [], produces: [] },
		build() {
			throw new Error(`${name} is a fixture`)
		},
		...more,
	}
}

const input = defineExports({ input: consumer })
const none = defineExports({})
const grpc = { endpoint: attr(string, { default: '0.0.0.0:4317' }), include_metadata: attr(bool) }
const compression = enumOf(
	['gzip', 'zlib', 'deflate', 'snappy', 'zstd', 'none', ''],
	(text) => `unrecognized compression type "${text}"`,
)
const relabelAction = enumOf(
	[
		'replace',
		'keep',
		'drop',
		'hashmod',
		'labelmap',
		'labeldrop',
		'labelkeep',
		'lowercase',
		'uppercase',
		'keepequal',
		'dropequal',
	],
	(text) => `unrecognized action type "${text}"`,
)
const rule = blocks({
	action: attr(relabelAction),
	source_labels: attr(list(string)),
	regex: attr(string),
	target_label: attr(string),
	replacement: attr(string),
})
const seconds = (ms: number): string => `${ms / 1000}s`

export const alloyRegistry: Registry = createRegistry([
	define(
		'local.file',
		defineArgs({
			filename: attr(string, { required: true }),
			detector: attr(string),
			poll_frequency: attr(duration, { default: 60_000 }),
			is_secret: attr(bool),
		}) as ArgsSchema<unknown>,
		defineExports({ content: optionalSecret }),
		{
			describeExports: (args) => ({
				content: (args as { is_secret: boolean }).is_secret
					? optionalSecretValue('', true)
					: new UnknownValue('string'),
			}),
		},
	),
	define(
		'local.file_match',
		defineArgs({ path_targets: attr(targets, { required: true }) }),
		defineExports({ targets }),
	),
	define(
		'remote.http',
		defineArgs({ url: attr(string, { required: true }) }),
		defineExports({ content: optionalSecret }),
	),
	define(
		'otelcol.receiver.otlp',
		defineArgs({ grpc: optionalBlock(grpc), http: optionalBlock(grpc), output }),
		none,
	),
	define(
		'otelcol.exporter.otlp',
		defineArgs({
			timeout: attr(duration, { default: 5000 }),
			client: block(
				{
					endpoint: attr(string, { required: true }),
					compression: attr(compression),
					headers: attr(map(string)),
					auth: attr(handler),
					tls: optionalBlock({ insecure: attr(bool) }),
				},
				{ required: true },
			),
			sending_queue: block({ queue_size: attr(int, { default: 1000 }) }),
		}),
		input,
	),
	define(
		'otelcol.processor.batch',
		defineArgs(
			{
				timeout: attr(duration),
				send_batch_size: attr(int, { default: 2000 }),
				send_batch_max_size: attr(int, { default: 3000 }),
				output,
			},
			{
				validate: (args) =>
					args.send_batch_max_size > 0 && args.send_batch_max_size < args.send_batch_size
						? 'send_batch_max_size must be greater or equal to send_batch_size when not 0'
						: undefined,
			},
		) as ArgsSchema<unknown>,
		input,
	),
	define(
		'otelcol.processor.memory_limiter',
		defineArgs({ check_interval: attr(duration, { required: true }), limit: attr(string), output }),
		input,
	),
	define(
		'otelcol.processor.tail_sampling',
		defineArgs({
			policy: blocks(
				{ name: attr(string, { required: true }), type: attr(string, { required: true }) },
				{ required: true },
			),
			output,
		}),
		input,
	),
	define(
		'otelcol.auth.basic',
		defineArgs({ username: attr(string, { required: true }), password: attr(secret, { required: true }) }),
		defineExports({ handler }),
	),
	define(
		'otelcol.auth.headers',
		defineArgs({
			header: blocks({
				key: attr(string, { required: true }),
				action: attr(enumOf(['insert', 'update', 'upsert', 'delete'], (text) => `unknown action ${text}`)),
			}),
		}),
		defineExports({ handler }),
	),
	define(
		'prometheus.scrape',
		defineArgs(
			{
				targets: attr(list(any), { required: true }),
				forward_to: attr(list(appendable), { required: true }),
				scrape_interval: attr(duration, { default: 60_000 }),
				scrape_timeout: attr(duration, { default: 10_000 }),
				sample: attr(float),
			},
			{
				validate: (args) =>
					args.scrape_timeout > args.scrape_interval
						? `scrape_timeout (${seconds(args.scrape_timeout)}) greater than scrape_interval (${seconds(args.scrape_interval)}) for scrape config with job name ""`
						: undefined,
			},
		) as ArgsSchema<unknown>,
		none,
	),
	define(
		'prometheus.relabel',
		defineArgs({ forward_to: attr(list(appendable), { required: true }), rule }),
		defineExports({ receiver: appendable }),
	),
	define(
		'prometheus.exporter.redis',
		defineArgs({ redis_addr: attr(string, { required: true }) }),
		defineExports({ targets }),
	),
	define(
		'discovery.relabel',
		defineArgs({ targets: attr(list(any), { required: true }), rule }),
		defineExports({ output: targets }),
	),
	define(
		'loki.source.file',
		defineArgs({
			targets: attr(list(targetOf()), { required: true }),
			forward_to: attr(list(appendable), { required: true }),
			encoding: attr(string),
		}),
		none,
	),
])

/** Alloy's target: a map of strings behind a capsule with a message of its own. */
function targetOf(): ReturnType<typeof map<string>> {
	const inner = map(string)
	return {
		...inner,
		decode(value) {
			if (value.type === 'object') return inner.decode(value)
			const kind = value.type === 'number' ? 'int64' : value.type
			throw valueError(value, `target::ConvertFrom: conversion from '${kind}' is not supported`)
		},
	}
}
