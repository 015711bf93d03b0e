import { beforeAll, describe, expect, it } from 'vitest'
import { RECORD_LAYOUT } from '../../src/capture/layout.ts'
import type { ExchangeBatch, RawBatch } from '../../src/model/batch.ts'
import type { Exchange } from '../../src/model/exchange.ts'
import { createProtocolDecoder } from '../../src/protocols/index.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { type Recorded, recorded } from '../helpers/recording.ts'
import { imbalance, totalsOf } from './support/pipeline.ts'

let scene: Recorded
let batches: RawBatch[]
beforeAll(async () => {
	scene = await recorded()
	batches = scene.batches()
}, 300_000)

function decodeAll(raw: readonly RawBatch[]): {
	decoded: ExchangeBatch[]
	accounting: ReturnType<typeof createAccounting>
} {
	const accounting = createAccounting()
	const decoder = createProtocolDecoder(RECORD_LAYOUT, accounting.meter('/', 'decode'))
	return { decoded: raw.map((batch) => decoder.decode(batch)), accounting }
}

const pathOf = ({ target }: Exchange) => target.replace(/\?.*/, '')

describe('a recording of real programs', () => {
	it('decodes to the last record', () => {
		const all = scene.all()
		const { decoded, accounting } = decodeAll(all)
		const totals = totalsOf(accounting, 'decode')
		const records = all.reduce((sum, batch) => sum + batch.records, 0)
		expect(totals.received).toBe(records)
		expect([...totals.dropped]).toEqual([])
		expect(totals.sent).toBe(records)
		expect(imbalance(accounting, 'decode')).toBe(0)
		const exchanges = decoded.reduce((sum, batch) => sum + batch.exchanges.length, 0)
		expect(totals.produced.get('exchange')).toBe(exchanges)
		expect(exchanges).toBeGreaterThan(2 * scene.truth.requests.length)
	})

	it('has every request that was sent, once on each side, with its method, status and sizes', () => {
		const exchanges = decodeAll(batches).decoded.flatMap((batch) => batch.exchanges)
		for (const request of scene.truth.requests) {
			const { port } = scene.truth.programs[request.program]!
			const mine = exchanges.filter((exchange) => pathOf(exchange) === request.path)
			const wanted = {
				method: request.method,
				methodName: request.method,
				status: request.status,
				requestBodySize: request.requestBody,
				responseBodySize: request.responseBody,
			}
			const servers = mine.filter((each) => each.role === 'server' && each.localPort === port)
			const clients = mine.filter((each) => each.role === 'client' && each.remotePort === port)
			expect(servers, `servers of ${request.path} in ${request.program}`).toHaveLength(1)
			expect(clients, `clients of ${request.path} to ${request.program}`).toHaveLength(1)
			expect(servers[0]).toMatchObject(wanted)
			expect(clients[0]).toMatchObject(wanted)
			for (const { startNs, endNs } of [...servers, ...clients]) expect(endNs).toBeGreaterThan(startNs)
		}
	})

	it('counts the connections that cannot be read', () => {
		const { port, pid } = scene.truth.programs['tls']!
		const tls = decodeAll(batches)
			.decoded.flatMap((batch) => batch.unreadable)
			.filter((each) => each.localPort === port && each.pid === pid)
		expect(tls.map(({ protocol }) => protocol)).toEqual(
			Array.from({ length: scene.truth.tlsConnections }, () => 'tls'),
		)
	})

	it('decodes the same twice', () => {
		expect(decodeAll(batches).decoded).toEqual(decodeAll(batches).decoded)
	})

	it('accounts for every record of a batch that is cut anywhere, and throws nowhere', () => {
		// Of every kind of record in the file a few, cut at each byte.
		const small = batches.filter(({ length, records }) => records > 0 && length < 4096).slice(0, 8)
		expect(small.length).toBeGreaterThan(0)
		for (const batch of small) {
			const whole = decodeAll([batch]).decoded[0]!
			for (let length = 0; length < batch.length; length += 1) {
				const { decoded, accounting } = decodeAll([{ ...batch, length }])
				expect(imbalance(accounting, 'decode')).toBe(0)
				expect(totalsOf(accounting, 'decode').received).toBe(batch.records)
				const got = decoded[0]!.exchanges
				expect(got.map(pathOf)).toEqual(whole.exchanges.slice(0, got.length).map(pathOf))
			}
		}
	}, 120_000)
})
