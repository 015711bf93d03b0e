import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HTTP_FLAG } from '../../src/model/record.ts'
import { createProtocolDecoder } from '../../src/protocols/index.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { imbalance, totalsOf } from './support/pipeline.ts'
import { ANSWERED, connRecord, contract, httpRecord, rawBatch } from './support/records.ts'

function decoder() {
	const accounting = createAccounting()
	return { accounting, ...createProtocolDecoder(contract, accounting.meter('/', 'decode')) }
}

describe('decode', () => {
	it('reads every field of an HTTP record', () => {
		const { decode } = decoder()
		const record = httpRecord({
			role: 2,
			pid: 4_000_001,
			processStartNs: 9_007_199_254_740_991,
			tid: 77,
			netns: 4026531840,
			startNs: 1_000,
			arrivalNs: 900,
			requestEndNs: 1_100,
			responseNs: 1_200,
			endNs: 5_000_000_000,
			requestBody: 5,
			responseBody: 6_000_000_000,
			local: ['10.1.2.3', 50123],
			remote: ['10.1.2.4', 8080],
			traceId: '0102030405060708090a0b0c0d0e0f10',
			spanId: '1112131415161718',
			parentSpanId: '2122232425262728',
			headerTraceId: '3132333435363738393a3b3c3d3e3f40',
			headerSpanId: '4142434445464748',
			sock: 11,
			peerSock: 12,
			joinSeq: 0xfedcba98,
			flags: ANSWERED | HTTP_FLAG.traceparent,
			status: 404,
			method: 'POST',
			evidence: 3,
			absent: 0,
			target: '/a?b=c',
			host: 'example.org',
		})
		const { exchanges } = decode(rawBatch([record]))
		const { ids, idsAt, ...exchange } = exchanges[0]!
		expect({ ...exchange }).toEqual({
			protocol: 'http1',
			role: 'client',
			pid: 4_000_001,
			processStartNs: 9_007_199_254_740_991,
			tid: 77,
			netns: 4026531840,
			startNs: 1_000,
			arrivalNs: 900,
			requestEndNs: 1_100,
			responseNs: 1_200,
			endNs: 5_000_000_000,
			requestBodySize: 5,
			responseBodySize: 6_000_000_000,
			family: 'inet',
			localAddress: '10.1.2.3',
			localPort: 50123,
			remoteAddress: '10.1.2.4',
			remotePort: 8080,
			socketInode: 11,
			peerSocketInode: 12,
			joinSequence: 0xfedcba98,
			peerPid: 0,
			peerStartNs: 0,
			flags: ANSWERED | HTTP_FLAG.traceparent,
			status: 404,
			method: 'POST',
			methodName: 'POST',
			evidence: 3,
			absent: 0,
			target: '/a?b=c',
			host: 'example.org',
		})
		expect(Buffer.from(ids).toString('hex', idsAt, idsAt + 56)).toBe(
			'0102030405060708090a0b0c0d0e0f101112131415161718212223242526272831323334353637383' +
				'93a3b3c3d3e3f404142434445464748',
		)
	})

	it('keeps nothing of the drain buffer', () => {
		const { decode } = decoder()
		const batch = rawBatch([httpRecord({ target: '/kept', traceId: 'aa'.repeat(16) })])
		const [exchange] = decode(batch).exchanges
		batch.bytes.fill(0xff)
		expect(exchange!.target).toBe('/kept')
		expect(exchange!.ids[exchange!.idsAt]).toBe(0xaa)
	})

	it('gives many records of one batch their own ids, on an unaligned buffer too', () => {
		const { decode } = decoder()
		const records = Array.from({ length: 50 }, (_, i) =>
			httpRecord({ target: `/${i}`, spanId: i.toString(16).padStart(16, '1') }),
		)
		const aligned = rawBatch(records)
		const shifted = Buffer.alloc(aligned.bytes.length + 3).subarray(3)
		shifted.set(aligned.bytes)
		for (const bytes of [aligned.bytes, shifted]) {
			const { exchanges } = decode({ ...aligned, bytes })
			expect(exchanges.map((each) => each.target)).toEqual(records.map((_, i) => `/${i}`))
			for (const [i, { ids, idsAt }] of exchanges.entries())
				expect(Buffer.from(ids).toString('hex', idsAt + 16, idsAt + 24)).toBe(
					i.toString(16).padStart(16, '1'),
				)
		}
	})

	it('shows a v4-mapped connection of an IPv6 socket as IPv4, and IPv6 in its short form', () => {
		const { decode } = decoder()
		const { exchanges } = decode(
			rawBatch([
				httpRecord({ family: 10, local: ['192.0.2.1', 80], remote: ['192.0.2.2', 4000] }),
				httpRecord({ family: 10, local: ['2001:db8::1', 80], remote: ['::1', 4000] }),
				httpRecord({ family: 1 }),
			]),
		)
		expect(
			exchanges.map(({ family, localAddress, remoteAddress }) => [family, localAddress, remoteAddress]),
		).toEqual([
			['inet', '192.0.2.1', '192.0.2.2'],
			['inet6', '2001:db8::1', '::1'],
			['unix', '', ''],
		])
	})

	it('keeps a foreign method as sent and names it _OTHER', () => {
		const { decode } = decoder()
		const [exchange] = decode(rawBatch([httpRecord({ method: 'PROPFIND' })])).exchanges
		expect([exchange!.method, exchange!.methodName]).toEqual(['PROPFIND', '_OTHER'])
	})

	it('has no status where no response was seen, whatever the field holds', () => {
		const { decode } = decoder()
		const [exchange] = decode(rawBatch([httpRecord({ flags: 0, status: 200 })])).exchanges
		expect(exchange!.status).toBe(0)
	})

	it('makes text of bytes that are no UTF-8 without losing the rest', () => {
		const { decode } = decoder()
		const record = httpRecord({ target: '/XXXX/end' })
		record.fill(0xff, record.indexOf('XXXX'), record.indexOf('XXXX') + 4)
		const [exchange] = decode(rawBatch([record])).exchanges
		expect(exchange!.target).toBe('/\ufffd\ufffd\ufffd\ufffd/end')
	})

	it('hands on connections that cannot be read', () => {
		const { decode, accounting } = decoder()
		const { unreadable } = decode(
			rawBatch([
				connRecord({ protocol: 2 }),
				connRecord({ protocol: 3, role: 1 }),
				connRecord({ protocol: 1 }),
			]),
		)
		expect(
			unreadable.map(({ protocol, role, remoteAddress, remotePort }) => [
				protocol,
				role,
				remoteAddress,
				remotePort,
			]),
		).toEqual([
			['tls', 'client', '10.0.0.9', 443],
			['http2', 'server', '10.0.0.9', 443],
		])
		expect(totalsOf(accounting, 'decode').dropped.get('malformed_protocol')?.count).toBe(1)
		expect(imbalance(accounting, 'decode')).toBe(0)
	})

	it('counts what makes no sense, each with its reason', () => {
		const { decode, accounting } = decoder()
		const unknown = httpRecord()
		unknown.writeUInt16LE(99, 0)
		const noIds = httpRecord({ traceId: '00'.repeat(16) })
		const backwards = httpRecord({ startNs: 10, endNs: 9 })
		const role = httpRecord({ role: 0 })
		const longText = httpRecord()
		const targetLen = contract.structs
			.find((each) => each.name === 'vor_http_record')!
			.members.find((each) => each.name === 'target_len')!
		longText.writeUInt16LE(5000, targetLen.offset)
		decode(rawBatch([unknown, noIds, backwards, role, longText, httpRecord()]))
		const totals = totalsOf(accounting, 'decode')
		expect(totals.sent).toBe(1)
		expect([...totals.dropped.keys()].sort()).toEqual([
			'malformed_ids',
			'malformed_role',
			'malformed_text_length',
			'malformed_time',
			'unknown_kind',
		])
		expect(imbalance(accounting, 'decode')).toBe(0)
	})

	it('never throws and always adds up, whatever the bytes', () => {
		const base = httpRecord({ target: '/some/path?q=1', host: 'host.example' })
		fc.assert(
			fc.property(
				fc.array(fc.record({ at: fc.nat(base.length * 3 - 1), value: fc.nat(255) }), { maxLength: 40 }),
				fc.nat(5),
				fc.nat(base.length * 3),
				(changes, records, length) => {
					const { decode, accounting } = decoder()
					const bytes = Buffer.concat([base, base, base])
					for (const { at, value } of changes) bytes[at] = value
					decode({ ...rawBatch([]), bytes, length, records })
					expect(imbalance(accounting, 'decode')).toBe(0)
					expect(totalsOf(accounting, 'decode').received).toBe(records)
				},
			),
			{ numRuns: 2000 },
		)
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(20), (bytes, records) => {
				const { decode, accounting } = decoder()
				decode({ ...rawBatch([]), bytes, length: bytes.length, records })
				expect(imbalance(accounting, 'decode')).toBe(0)
			}),
			{ numRuns: 500 },
		)
	})
})
