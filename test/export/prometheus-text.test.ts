import { describe, expect, it } from 'vitest'
import { prometheusLabel, prometheusName } from '../../src/export/prometheus-names.ts'
import { exposition, prometheusFamilies } from '../../src/export/prometheus-text.ts'
import type { Metric } from '../../src/model/metric.ts'
import { single } from '../../src/telemetry/metric-family.ts'
import { attributes, makeHistogram, makeResource } from './samples.ts'

const resource = makeResource('shop')
const metric = (kind: 'counter' | 'updown' | 'gauge' | 'histogram', name: string, unit: string): Metric =>
	kind === 'histogram'
		? { ...makeHistogram(resource), name, unit }
		: {
				...(kind === 'gauge' ? { kind } : { kind: 'sum', monotonic: kind === 'counter' }),
				name,
				unit,
				description: '',
				resource,
				points: [],
			}

describe('translated names', () => {
	it.each([
		['histogram', 'http.server.request.duration', 's', 'http_server_request_duration_seconds'],
		['histogram', 'http.client.response.body.size', 'By', 'http_client_response_body_size_bytes'],
		['updown', 'http.server.active_requests', '{request}', 'http_server_active_requests'],
		['counter', 'process.cpu.time', 's', 'process_cpu_time_seconds_total'],
		['counter', 'requests.total', '{request}', 'requests_total'],
		['counter', 'total.bytes', 'By', 'bytes_total'],
		['gauge', 'cpu.utilization', '1', 'cpu_utilization_ratio'],
		['updown', 'cpu.utilization', '1', 'cpu_utilization'],
		['gauge', 'disk.speed', 'By/s', 'disk_speed_bytes_per_second'],
		['gauge', 'rate', '{request}/s', 'rate_per_second'],
		['gauge', 'latency.seconds', 's', 'latency_seconds'],
		['gauge', 'load', '%', 'load_percent'],
		['gauge', 'weird name--x', 'foo', 'weird_name_x_foo'],
		['gauge', '2xx.responses', '', '_2xx_responses'],
	] as const)('%s %s in %s is %s', (kind, name, unit, expected) => {
		expect(prometheusName(metric(kind, name, unit))).toBe(expected)
	})

	it.each([
		['http.request.method', 'http_request_method'],
		['2nd', 'key_2nd'],
		['_private', 'key_private'],
		['__reserved', '__reserved'],
		['größe', 'gr__e'],
	])('label %s is %s', (attribute, label) => expect(prometheusLabel(attribute)).toBe(label))
})

describe('the exposition', () => {
	it('of a RED histogram is what a scraper expects, letter for letter', () => {
		const { contentType, body } = exposition(prometheusFamilies([makeHistogram(resource)]))
		const target =
			'service_name="shop",service_namespace="shop",service_instance_id="shop-1",telemetry_sdk_language="nodejs"'
		const labels = `${target},http_request_method="GET",http_response_status_code="200",http_route="/r0"`
		const name = 'http_server_request_duration_seconds'
		expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
		expect(body).toBe(
			[
				`# HELP ${name} Duration of HTTP server requests.`,
				`# TYPE ${name} histogram`,
				`${name}_bucket{${labels},le="0.005"} 1`,
				`${name}_bucket{${labels},le="0.01"} 3`,
				`${name}_bucket{${labels},le="0.1"} 6`,
				`${name}_bucket{${labels},le="1"} 10`,
				`${name}_bucket{${labels},le="+Inf"} 10`,
				`${name}_sum{${labels}} 1.25`,
				`${name}_count{${labels}} 10`,
				'# HELP target_info Target metadata',
				'# TYPE target_info gauge',
				`target_info{${target},telemetry_distro_name="vor",host_name="node-1"} 1`,
				'',
			].join('\n'),
		)
	})

	it('puts series of many services under one head, and one target_info for equal resources', () => {
		const again = makeResource('shop')
		const other = makeResource('other')
		const { body } = exposition(
			prometheusFamilies([
				makeHistogram(resource),
				makeHistogram(other),
				{ ...makeHistogram(again), points: [] },
			]),
		)
		expect(body.match(/# TYPE http_server_request_duration_seconds histogram/g)).toHaveLength(1)
		expect(body.match(/^target_info\{/gm)).toHaveLength(2)
		expect(body.match(/_count\{/g)).toHaveLength(2)
	})

	it('escapes what a label value may hold and joins labels that become one', () => {
		const list = attributes({ 'a.b': 'x"y\\z\n', 'a-b': 'second', empty: '' })
		const gauge: Metric = {
			kind: 'gauge',
			name: 'g',
			unit: '',
			description: 'back\\slash\nnew',
			resource: { ...resource, attributes: [] },
			points: [{ attributes: list, startMs: 0, timeMs: 0, value: Number.POSITIVE_INFINITY }],
		}
		const { body } = exposition(prometheusFamilies([gauge]))
		expect(body).toContain('# HELP g back\\\\slash\\nnew\n')
		expect(body).toContain('g{a_b="x\\"y\\\\z\\n;second"} +Inf\n')
	})

	it('is OpenMetrics when asked for: counters without _total in their head, float bounds, an end', () => {
		const families = [
			...prometheusFamilies([makeHistogram(resource)]),
			single('vor_records_total', 'counter', 'Say "records".', 7),
		]
		const { contentType, body } = exposition(
			families,
			'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
		)
		expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
		expect(body).toContain(
			"# HELP vor_records Say 'records'.\n# TYPE vor_records counter\nvor_records_total 7\n",
		)
		expect(body).toContain('le="1.0"} 10\n')
		expect(body).toContain('le="0.005"} 1\n')
		expect(body.endsWith('\n# EOF\n')).toBe(true)
	})

	it.each([
		['', false],
		['*/*', false],
		['text/plain', false],
		['application/openmetrics-text; version=1.0.0', true],
		['text/plain, application/openmetrics-text;q=0.5', false],
		['application/openmetrics-text;q=0', false],
	])('Accept %j asks for OpenMetrics: %s', (accept, open) => {
		expect(exposition([], accept).body).toBe(open ? '# EOF\n' : '')
	})
})
