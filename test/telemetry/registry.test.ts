import { expect, test } from 'vitest'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { accountingFamilies } from '../../src/telemetry/accounting-families.ts'
import { monitorEventLoop } from '../../src/telemetry/event-loop.ts'
import { renderFamilies, single } from '../../src/telemetry/metric-family.ts'
import { processFamilies } from '../../src/telemetry/process-families.ts'
import { createRegistry } from '../../src/telemetry/registry.ts'

test('counters, gauges and histograms come out as Prometheus text, sorted by name', () => {
	const registry = createRegistry()
	registry.gauge('b_gauge', 'A gauge.').set(2.5)
	registry.counter('a_total', 'A\ncounter.', ['reason']).add(3, 'x"y\\z\n')
	const histogram = registry.histogram('c_seconds', 'A histogram.', [0.1, 1])
	for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value)
	expect(registry.render()).toBe(`# HELP a_total A\\ncounter.
# TYPE a_total counter
a_total{reason="x\\"y\\\\z\\n"} 3
# HELP b_gauge A gauge.
# TYPE b_gauge gauge
b_gauge 2.5
# HELP c_seconds A histogram.
# TYPE c_seconds histogram
c_seconds_bucket{le="0.1"} 2
c_seconds_bucket{le="1"} 3
c_seconds_bucket{le="+Inf"} 4
c_seconds_sum 7.65
c_seconds_count 4
`)
})

test('a counter asked for twice is the same counter, another kind of the same name is refused', () => {
	const registry = createRegistry()
	const lost = () => registry.counter('lost_total', 'Lost.', ['service_name', 'reason'])
	lost().add(1, 'shop', 'full')
	lost().add(2, 'shop', 'full')
	expect(lost().value('shop', 'full')).toBe(3)
	expect(registry.render()).toContain('lost_total{service_name="shop",reason="full"} 3\n')
	expect(() => registry.gauge('lost_total', '')).toThrow(TypeError)
	expect(() => lost().add(1, 'shop')).toThrow(TypeError)
})

test('a counter without labels starts at 0, so that a rate has a first point', () => {
	const registry = createRegistry()
	registry.counter('x_total', 'X.')
	expect(registry.render()).toContain('\nx_total 0\n')
})

test('sources are asked at every rendering until they are taken out, and one name gets one header', () => {
	const registry = createRegistry()
	let value = 1
	const remove = registry.source(() => [single('s', 'gauge', 'S.', value, [['from', 'a']])])
	registry.source(() => [single('s', 'gauge', 'S.', 9, [['from', 'b']])])
	expect(registry.render()).toBe('# HELP s S.\n# TYPE s gauge\ns{from="a"} 1\ns{from="b"} 9\n')
	value = 2
	expect(registry.render()).toContain('s{from="a"} 2\n')
	remove()
	expect(registry.render()).not.toContain('from="a"')
})

test('the accounting of a stage adds up in the exposition', () => {
	const accounting = createAccounting()
	const meter = accounting.meter('/', 'ebpf.decode.x')
	meter.received(10)
	meter.sent(5)
	meter.dropped(2, 'malformed')
	meter.dropped(1, 'filtered', true)
	meter.held(() => 2)
	meter.produced(5, 'exchange')
	const text = renderFamilies(accountingFamilies(accounting))
	const labels = 'component_path="/",component_id="ebpf.decode.x"'
	expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
		`vor_component_dropped_total{${labels},reason="malformed",intentional="false"} 2`,
		`vor_component_dropped_total{${labels},reason="filtered",intentional="true"} 1`,
		`vor_component_held{${labels}} 2`,
		`vor_component_produced_total{${labels},unit="exchange"} 5`,
		`vor_component_received_total{${labels}} 10`,
		`vor_component_sent_total{${labels}} 5`,
	])
	expect(text).toContain('# TYPE vor_component_held gauge\n')
})

test('the process metrics are those of this very process', () => {
	const text = renderFamilies(processFamilies())
	const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
	expect(value('process_resident_memory_bytes')).toBeGreaterThan(20e6)
	expect(value('process_virtual_memory_bytes')).toBeGreaterThan(value('process_resident_memory_bytes'))
	expect(value('alloy_resources_process_cpu_seconds_total')).toBeGreaterThan(0)
	expect(value('process_open_fds')).toBeGreaterThan(3)
	expect(Math.abs(value('process_start_time_seconds') - performance.timeOrigin / 1000)).toBeLessThan(1)
	expect(text).toMatch(/^vor_build_info\{version="\d+\.\d+\.\d+",node_version="\d+/m)
})

test('the event loop monitor sees a blocked main thread and takes its own period off', async () => {
	const began = performance.now()
	const monitor = monitorEventLoop()
	await new Promise((resolve) => setTimeout(resolve, 200))
	// The least: on a busy machine a callback waits without our doing, yet not every one.
	await expect.poll(() => monitor.quantile(0.01), { timeout: 20_000 }).toBeLessThan(0.02)
	const end = performance.now() + 300
	while (performance.now() < end);
	await expect.poll(() => monitor.quantile(1), { timeout: 20_000 }).toBeGreaterThan(0.2)
	expect(monitor.quantile(1)).toBeLessThan((performance.now() - began) / 1000)
	monitor.stop()
})
