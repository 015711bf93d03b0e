import { describe, expect, it } from 'vitest'
import { type AttributeKey, attributeKey, findAttribute } from '../../src/model/attributes.ts'
import { HTTP_FLAG } from '../../src/model/record.ts'
import { imbalance } from '../protocols/support/pipeline.ts'
import {
	ANSWERED,
	fallbackCount,
	freshId,
	type HttpRecord,
	processFact,
} from '../protocols/support/records.ts'
import { duration, everything, id, line, points, server } from './support/beyla-line.ts'

describe('discovery', () => {
	const shop = processFact({ pid: 1, executable: '/opt/shop/bin/shop', listenPorts: [8080] })
	const other = processFact({ pid: 2, executable: '/usr/bin/python3.11', listenPorts: [9000] })
	it.each([
		['', []],
		['discovery {\ninstrument {\nopen_ports = "8000-8100"\n}\n}', [1]],
		['discovery {\ninstrument {\nexe_path = "*python*"\n}\n}', [2]],
		['discovery {\ninstrument {\nexe_path = "*"\n}\nexclude_instrument {\nexe_path = "*/shop"\n}\n}', [2]],
		['discovery {\nservices {\nexe_path = "python3\\\\.1[0-9]$"\n}\n}', [2]],
		['discovery {\nservices {\nexe_path = "."\n}\nexclude_services {\nexe_path = "^/opt/"\n}\n}', [2]],
		['open_port = "9000"', [2]],
		['executable_name = "^/opt/.+"', [1]],
		['open_port = "9000"\nexecutable_name = "shop"', []],
		['discovery {\ninstrument {\nopen_ports = "9000"\nkubernetes {\nnamespace = "x"\n}\n}\n}', []],
	])('%s', async (body, pids) => {
		const { send, spans, stop } = await line(body)
		send(
			[
				{ ...server, pid: 1 },
				{ ...server, pid: 2 },
			],
			[shop, other],
		)
		expect(spans.map((span) => span.exchange.pid)).toEqual(pids)
		await stop()
	})

	it('an entry keeps signals of its processes out, where the kernel counted instead of recording too', async () => {
		const { send, spans, scrape, stop } = await line(`discovery {
	instrument {
		exe_path = "*"
	}
	instrument {
		exe_path = "*/shop"
		exports  = ["metrics"]
	}
	instrument {
		exe_path = "*python*"
		exports  = ["traces"]
	}
}`)
		send(
			[
				{ ...server, pid: 1 },
				{ ...server, pid: 2 },
			],
			[shop, other],
			{
				fallback: [fallbackCount({ pid: 1 }), fallbackCount({ pid: 2 })],
			},
		)
		expect(spans.map((span) => span.exchange.pid)).toEqual([2])
		expect(points(scrape(), duration).reduce((sum, point) => sum + point.count, 0)).toBe(2)
		await stop()
	})
})

describe('traces', () => {
	const flagged = (flags: number): HttpRecord => ({ ...server, flags: ANSWERED | flags })
	const many = (count: number, flags = HTTP_FLAG.sampledFlag as number): HttpRecord[] =>
		Array.from({ length: count }, () => ({ ...flagged(flags), traceId: freshId(16) }))
	const sampled = (name: string, arg = '') =>
		`${everything}\ntraces {\nsampler {\nname = "${name}"\narg = "${arg}"\n}\n}`

	it('are sampled by the trace id, metrics count all, and the rest is accounted as left out', async () => {
		const { send, spans, scrape, accounting, stop } = await line(sampled('traceidratio', '0.25'))
		const records = many(400)
		send(records)
		expect(spans.length).toBeGreaterThan(60)
		expect(spans.length).toBeLessThan(140)
		for (const span of spans)
			expect(Buffer.from(span.ids).readBigUInt64BE(span.idsAt + 8) >> 1n).toBeLessThan(2n ** 61n)
		expect(points(scrape(), duration)[0]?.count).toBe(400)
		expect(imbalance(accounting, id)).toBe(0)
		expect(
			accounting
				.totals()
				.find((stage) => stage.id === id)
				?.dropped.get('filtered'),
		).toEqual({
			count: 400 - spans.length,
			intentional: true,
		})
		const before = spans.length
		send(records)
		expect(spans.length).toBe(2 * before)
		await stop()
	})

	it.each([
		['always_on', '', [true, true, true, true]],
		['always_off', '', [false, false, false, false]],
		['parentbased_always_on', '', [true, true, false, false]],
		['parentbased_always_off', '', [false, true, false, false]],
		['parentbased_traceidratio', '0', [false, true, false, false]],
		['traceidratio', '1', [true, true, true, true]],
	])('%s %s keeps roots and what a header says as it should', async (name, arg, expected) => {
		const { send, spans, stop } = await line(sampled(name, arg))
		const header = { headerTraceId: freshId(16), headerSpanId: freshId(8) }
		const cases: HttpRecord[] = [
			flagged(HTTP_FLAG.sampledFlag),
			{ ...flagged(HTTP_FLAG.sampledFlag | HTTP_FLAG.traceparent), ...header },
			{ ...flagged(HTTP_FLAG.traceparent), ...header },
			// A call of a request that came in unsampled: the kernel hands the flag on.
			{ ...flagged(0), role: 2 },
		]
		const found = cases.map((record) => {
			const before = spans.length
			send([record])
			return spans.length > before
		})
		expect(found).toEqual(expected)
		await stop()
	})

	it("an entry's sampler goes before the general one", async () => {
		const { send, spans, stop } = await line(`discovery {
	instrument {
		exe_path = "*"

		sampler {
			name = "always_on"
		}
	}
}
traces {
	sampler {
		name = "always_off"
	}
}`)
		send([server])
		expect(spans).toHaveLength(1)
		await stop()
	})

	it('of protocols that were not asked for are not exported', async () => {
		const { send, spans, scrape, stop } = await line(
			`${everything}\ntraces {\ninstrumentations = ["kafka"]\n}`,
		)
		send([server])
		expect(spans).toEqual([])
		expect(points(scrape(), duration)).toHaveLength(1)
		await stop()
	})

	it('lose the attributes that are excluded, and metrics keep theirs', async () => {
		const { send, spans, scrape, stop } = await line(
			`${everything}\nattributes {\nselect {\nattr = "traces"\ninclude = ["db.query.text"]\nexclude = ["http.request.*", "url_path"]\n}\n}`,
		)
		send([server])
		const names = spans[0]!.attributes.filter((_, i) => i % 2 === 0).map((key) => (key as AttributeKey).name)
		expect(names).toContain('http.route')
		expect(names).not.toContain('http.request.method')
		expect(names).not.toContain('url.path')
		expect(points(scrape(), duration)[0]?.labels).toHaveProperty('http.request.method')
		await stop()
	})
})

it('instance and host are named as the configuration says', async () => {
	const { send, spans, scrape, stop } = await line(
		`${everything}\nattributes {\ninstance_id {\noverride_hostname = "web-1"\n}\nhost_id {\noverride = "abc"\n}\n}`,
	)
	send([server], [processFact({ pid: 100 })])
	const { resource } = spans[0]!
	expect(resource.serviceInstanceId).toBe('web-1:100')
	const named = (name: string) => findAttribute(resource.attributes, attributeKey(name))
	expect([named('service.instance.id'), named('host.name'), named('host.id')]).toEqual([
		'web-1:100',
		'web-1',
		'abc',
	])
	expect(scrape()[0]?.resource.serviceInstanceId).toBe('web-1:100')
	await stop()
})

it('a running block logs values without effect, once, and nothing for the rest', async () => {
	const quiet = await line(everything)
	expect(quiet.log()).not.toContain('level=warn')
	await quiet.stop()
	const body = `${everything}\nmetrics {\nfeatures = ["application", "application_span"]\n}\nebpf {\nwakeup_len = 5\n}`
	const loud = await line(body)
	expect(loud.log()).toContain('wakeup_len')
	const warning = 'metrics.features \\"application_span\\" is known but gives no metrics yet'
	expect(loud.log()).toContain(warning)
	const length = loud.log().length
	await loud.load(body)
	expect(loud.log().slice(length)).not.toContain(warning)
	await loud.stop()
})
