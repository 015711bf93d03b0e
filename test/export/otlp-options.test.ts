import { describe, expect, it } from 'vitest'
import { parseGrpcEndpoint } from '../../src/export/grpc-endpoint.ts'
import { createOtlpExporter } from '../../src/export/otlp-grpc-exporter.ts'
import { BATCH_DEFAULTS, type OtlpExporterInput, otlpExporterOptions } from '../../src/export/otlp-options.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { VorError } from '../../src/util/errors.ts'

const endpoint = 'localhost:4317'

function errorOf(act: () => unknown): VorError {
	try {
		act()
	} catch (error) {
		if (error instanceof VorError) return error
		throw error
	}
	throw new Error('nothing was thrown')
}

describe('options', () => {
	it('have the defaults of Alloy', () => {
		expect(otlpExporterOptions({ client: { endpoint } })).toMatchObject({
			timeoutMs: 5000,
			client: { compression: 'gzip', balancerName: 'round_robin', waitForReady: false, headers: {} },
			sendingQueue: {
				enabled: true,
				numConsumers: 10,
				queueSize: 1000,
				sizer: 'requests',
				batch: { flushTimeoutMs: 200, minSize: 2000, maxSize: 3000 },
			},
			retryOnFailure: {
				enabled: true,
				initialIntervalMs: 5000,
				randomizationFactor: 0.5,
				multiplier: 1.5,
				maxIntervalMs: 30_000,
				maxElapsedMs: 300_000,
			},
		})
		expect(otlpExporterOptions({ client: { endpoint } }).client.tls).toMatchObject({
			insecure: false,
			minVersion: 'TLS 1.2',
			maxVersion: 'TLS 1.3',
		})
	})

	it.each<[Omit<OtlpExporterInput, 'client'> & { client?: object }, string]>([
		[{ client: { compression: 'zstd' } }, 'unsupported compression type "zstd"'],
		[{ client: { balancerName: 'ring' } }, 'invalid balancer_name: ring'],
		[{ timeoutMs: -1 }, '`timeout` must not be negative'],
		[{ sendingQueue: { queueSize: 0 } }, '`queue_size` must be positive'],
		[{ sendingQueue: { numConsumers: 0 } }, '`num_consumers` must be positive'],
		[{ sendingQueue: { sizer: 'spans' as 'items' } }, 'invalid sizer: spans'],
		[{ sendingQueue: { blockOnOverflow: true } }, '`block_on_overflow` cannot be honoured'],
		[{ sendingQueue: { waitForResult: true } }, '`wait_for_result` cannot be honoured'],
		[
			{ sendingQueue: { batch: { ...BATCH_DEFAULTS, maxSize: 10 } } },
			'`max_size` must be greater or equal to `min_size`',
		],
		[{ sendingQueue: { sizer: 'items' } }, '`min_size` must be less than or equal to `queue_size`'],
		[
			{ sendingQueue: { batch: { ...BATCH_DEFAULTS, flushTimeoutMs: 0 } } },
			'`flush_timeout` must be positive',
		],
		[{ retryOnFailure: { multiplier: 1 } }, '`multiplier` must be greater than 1.0'],
		[{ retryOnFailure: { randomizationFactor: 2 } }, '`randomization_factor` must be within [0, 1]'],
		[{ maxRequestBytes: 10 }, 'the limit of a request'],
	])('%j are refused', (input, message) => {
		const error = errorOf(() => otlpExporterOptions({ ...input, client: { endpoint, ...input.client } }))
		expect(error.code).toBe('E_CONFIG')
		expect(error.message).toContain(message)
	})

	const create = (client: object) => () =>
		createOtlpExporter(
			{ client: { endpoint, ...client } },
			{ meter: createAccounting().meter('/', 'x'), log: createLog({ write: () => undefined }), version: '0' },
		)

	it.each([
		[{ tls: { caFile: '/nonexistent/ca.pem' } }, 'E_FILE', 'cannot read ca_file /nonexistent/ca.pem: ENOENT'],
		[{ tls: { caPem: 'x', caFile: 'y' } }, 'E_CONFIG', 'ca_file and ca_pem are both set'],
		[{ tls: { certPem: 'x' } }, 'E_CONFIG', 'both certificate and key must be given'],
		[{ tls: { certPem: 'x', keyPem: 'y' } }, 'E_CONFIG', 'tls: '],
		[{ tls: { minVersion: 'TLS 2' } }, 'E_CONFIG', 'min_version does not know "TLS 2"'],
		[{ tls: { cipherSuites: ['RC4'] } }, 'E_CONFIG', 'cipher_suites does not know "RC4"'],
		[
			{ tls: { minVersion: 'TLS 1.3', maxVersion: 'TLS 1.2' } },
			'E_CONFIG',
			'min_version is newer than max_version',
		],
	])('TLS %j is an error of the configuration', (client, code, message) => {
		const error = errorOf(create(client))
		expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)])
	})

	it('name a header that cannot be sent, but not its value', () => {
		for (const headers of [{ 'bad name': 's3cret' }, { token: 's3cret\n' }]) {
			const error = errorOf(create({ headers }))
			expect(error.message).toMatch(/^header "(bad name|token)" cannot be sent over gRPC$/)
			expect(`${error.message}${error.fix}${String(error.cause)}`).not.toContain('s3cret')
		}
	})
})

describe('endpoints', () => {
	it.each([
		['localhost:4317', 'localhost:4317', undefined],
		['http://localhost:4317', 'localhost:4317', false],
		['https://tempo.shop:443/', 'tempo.shop:443', true],
		['HTTPS://[::1]:4317', '[::1]:4317', true],
		['[::1]:4317', '[::1]:4317', undefined],
		['dns:///tempo.shop:4317', 'dns:///tempo.shop:4317', undefined],
		['dns://8.8.8.8/tempo.shop:4317', 'dns://8.8.8.8/tempo.shop:4317', undefined],
		['ipv4:10.0.0.1:4317', 'ipv4:10.0.0.1:4317', undefined],
		['unix:///run/alloy.sock', 'unix:///run/alloy.sock', undefined],
	])('%s is understood', (text, target, tls) => expect(parseGrpcEndpoint(text)).toEqual({ target, tls }))

	it.each([
		['', '`endpoint` must not be empty', 'localhost:4317'],
		['localhost', 'has no port', 'localhost:4317'],
		['::1', 'has no port', '[::1]:4317'],
		['http://tempo', 'has no port', 'tempo:4317'],
		['localhost:99999', 'invalid port 99999', ''],
		['http://tempo:4318/v1/traces', 'has a path', 'http://tempo:4318'],
		['ftp://tempo:21', 'unknown scheme "ftp"', 'http://host:port'],
	])('%j is refused with the fix', (text, message, fix) => {
		const error = errorOf(() => parseGrpcEndpoint(text))
		expect(error.message).toContain(message)
		expect(error.fix).toContain(fix)
	})
})
