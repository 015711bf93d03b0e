import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMIT, METHOD, ROLE } from '../../src/capture/layout.gen.ts'
import { type Mutation, mutate, mutation, turn } from './support/http1-messages.ts'
import { type Message, parseRequests, parseResponses } from './support/http1-reference.ts'
import { type Exchange, STORAGE_FORMS } from './support/kernel.ts'
import { close, pair, receive, type Step, send } from './support/sockets.ts'
import { watchedSockets } from './support/watched-sockets.ts'

interface Turn {
	readonly method: string
	readonly request: string
	readonly response: string
}

/** Sizes of the pieces in which bytes are sent and received. */
const cuts = fc.array(fc.oneof(fc.constantFrom(1, 2, 3), fc.integer({ min: 1, max: 200 })), { maxLength: 12 })
const fourCuts = fc.tuple(cuts, cuts, cuts, cuts)
const family = fc.constantFrom('ipv4', 'ipv4', 'unix')
const turns = (least: number) =>
	fc
		.integer({ min: least, max: 4 })
		.chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => turn(i === 0, i === n - 1))))

/** Cuts beyond the end are left out. */
function within(sizes: readonly number[], length: number): number[] {
	const kept: number[] = []
	let sum = 0
	for (const size of sizes) {
		sum += size
		if (sum >= length) break
		kept.push(size)
	}
	return kept
}

function moved(
	from: string,
	to: string,
	text: string,
	out: readonly number[],
	into: readonly number[],
): Step[] {
	if (text === '') return []
	const bytes = Buffer.from(text, 'latin1')
	return [
		send(from, bytes, { cut: within(out, bytes.length) }),
		receive(to, bytes, { cut: within(into, bytes.length) }),
	]
}

const NAMES = Object.fromEntries(Object.entries(METHOD).map(([name, value]) => [value, name]))
const methodOf = (exchange: Exchange): string =>
	exchange.method === METHOD.OTHER ? exchange.methodText : String(NAMES[exchange.method])

const seen = (exchange: Exchange): object => ({
	method: methodOf(exchange),
	target: exchange.target,
	host: exchange.host,
	traceId: exchange.headerTraceId.replace(/^0{32}$/, ''),
	status: exchange.status,
	requestBody: exchange.requestBody,
	responseBody: exchange.responseBody,
})

const meant = (request: Message, response: Message): object => ({
	method: request.method,
	target: request.target,
	host: request.host,
	traceId: request.traceId,
	status: response.status,
	requestBody: request.body,
	responseBody: response.body,
})

const finals = (messages: readonly Message[]): Message[] =>
	messages.filter(({ status }) => status >= 200 || status === 101)

describe.each(STORAGE_FORMS)('the HTTP/1 parser in the kernel against a reference (%s)', (form) => {
	const watched = watchedSockets(form)

	async function play(
		on: string,
		said: readonly Turn[],
		[a, b, c, d]: readonly [number[], number[], number[], number[]],
	): Promise<{ server: Exchange[]; client: Exchange[] }> {
		const steps = said.flatMap(({ request, response }) => [
			...moved('c', 's', request, a, b),
			...moved('s', 'c', response, c, d),
		])
		await watched.sockets.run([pair(on), ...steps, ...close('c', 's')])
		await watched.kernel.sweep()
		const all = watched.kernel.exchanges()
		expect(watched.kernel.open()).toBe(0)
		return {
			server: all.filter(({ role }) => role === ROLE.SERVER),
			client: all.filter(({ role }) => role === ROLE.CLIENT),
		}
	}

	it('says the same of what is right, however it is cut', async () => {
		await fc.assert(
			fc.asyncProperty(turns(1), fourCuts, family, async (said, pieces, on) => {
				const requests = parseRequests(said.map(({ request }) => request).join(''))
				const responses = parseResponses(
					said.map(({ response }) => response).join(''),
					said.map(({ method }) => method),
				)
				expect([requests.broken, responses.broken]).toEqual([false, false])
				const answers = finals(responses.messages)
				const expected = requests.messages.map((request, i) => meant(request, answers[i] as Message))
				expect(expected).toHaveLength(said.length)
				const { server, client } = await play(on, said, pieces)
				expect(server.map(seen)).toEqual(expected)
				expect(client.map(seen)).toEqual(expected)
				for (const { flags } of [...server, ...client]) {
					expect(flags).toContain('REQUEST_COMPLETE')
					expect(flags).toContain('RESPONSE_COMPLETE')
					expect(flags).not.toContain('SIZE_INEXACT')
				}
			}),
		)
	}, 900_000)

	// The last turn, or the only one, is broken, in its request or in its response. What came before stays as it was.
	it('says nothing that is not there of what is broken', async () => {
		await fc.assert(
			fc.asyncProperty(
				turns(1),
				fc.array(mutation, { minLength: 1, maxLength: 3 }),
				fc.boolean(),
				fourCuts,
				family,
				async (said, mutations, inRequest, pieces, on) => {
					const last = broken(said.at(-1) as Turn, mutations, inRequest)
					const good = said.slice(0, -1)
					const { server, client } = await play(on, [...good, last], pieces)
					const before = parseRequests(good.map(({ request }) => request).join('')).messages
					const answers = finals(
						parseResponses(
							good.map(({ response }) => response).join(''),
							good.map(({ method }) => method),
						).messages,
					)
					const expected = before.map((request, i) => meant(request, answers[i] as Message))
					for (const exchanges of [server, client]) {
						expect(exchanges.slice(0, good.length).map(seen)).toEqual(expected)
						judge(exchanges.slice(good.length), last)
					}
				},
			),
		)
	}, 900_000)
})

function broken(turn_: Turn, mutations: readonly Mutation[], inRequest: boolean): Turn {
	const bend = (text: string): string => mutations.reduce(mutate, text)
	return inRequest ? { ...turn_, request: bend(turn_.request) } : { ...turn_, response: bend(turn_.response) }
}

/** The exchanges of the last turn: what the reference reads out of its bytes, or absent, or without what is absent. */
function judge(exchanges: readonly Exchange[], { request, response }: Turn): void {
	const requests = parseRequests(request)
	const heads = requests.messages
	const responses = parseResponses(
		response,
		heads.map(({ method }) => method),
	)
	const answers = finals(responses.messages)
	expect(exchanges.length).toBeLessThanOrEqual(heads.length)
	exchanges.forEach((exchange, i) => {
		const { flags, status } = exchange
		const head = heads[i] as Message
		const asked = flags.includes('METHOD_TRUNCATED') ? head.method.slice(0, LIMIT.METHOD_MAX) : head.method
		const wanted = flags.includes('TARGET_TRUNCATED') ? head.target.slice(0, LIMIT.TARGET_MAX) : head.target
		expect([methodOf(exchange), exchange.target]).toEqual([asked, wanted])
		if (!flags.includes('RESPONSE_SEEN')) {
			expect(status).toBe(0)
			return
		}
		const answer = answers[i]
		expect(answer, 'a response that is there').toBeDefined()
		expect(status).toBe(answer?.status)
		if (flags.includes('SIZE_INEXACT')) return
		if (flags.includes('REQUEST_COMPLETE') && head.complete) expect(exchange.requestBody).toBe(head.body)
		if (flags.includes('RESPONSE_COMPLETE') && answer?.complete === true)
			expect(exchange.responseBody).toBe(answer.body)
	})
}
