// Surface C alone: more threads wait in a receive than the kernel follows (waiting.c). What is seen is right, what was open is
// counted, and all is seen again as soon as they are gone.
import { ownKretprobeRoom } from '../../../dist/capture/kretprobe-room.js'
import { startLine } from './line.mjs'
import { settle } from './mix.mjs'
import { runClient } from './programs.mjs'

const PROGRAMS = process.env.VOR_MIX_FOLDER ?? '/bin'
const REQUESTS = 5
/** Threads beyond those that the kernel follows. */
const BEYOND = 4

/** What is wrong, one line each; [] = nothing. */
export async function runWaiting({ surface, storage, patienceMs }) {
	const room = ownKretprobeRoom()
	if (room === undefined) return ['the CPUs of this kernel are not told']
	const threads = room + BEYOND
	const line = await startLine({ surface, storage })
	let result
	try {
		const client = await runClient(`${PROGRAMS}/mix-waiting`, [String(threads), String(REQUESTS)], patienceMs)
		if (client.code !== 0) return [`mix-waiting ended with ${client.code}: ${client.errors}`]
		// Three times both sides of all; of those that waited the client, and the servers that there is room for.
		await settle(line, 3 * 2 * REQUESTS + threads + room)
	} finally {
		result = await line.stop()
	}
	return judge(line.spans, result, room, threads)
}

function judge(spans, { counters, statistics }, room, threads) {
	const of = (kind, phase, number) =>
		spans.filter((span) => span.kind === kind && pathOf(span) === `/${phase}/${number}`)
	const problems = spans.flatMap((span) => untruths(span))
	for (const [phase, count] of Object.entries({
		before: REQUESTS,
		after: REQUESTS,
		fresh: REQUESTS,
		waiting: threads,
	}))
		for (let number = 0; number < count; number++) {
			const [client, ...clients] = of('client', phase, number)
			const [server, ...servers] = of('server', phase, number)
			const wanted = phase === 'waiting' && number >= room ? 0 : 1
			if (client === undefined || clients.length > 0)
				problems.push(`/${phase}/${number}: ${clients.length + (client ? 1 : 0)} client spans`)
			if (servers.length + (server ? 1 : 0) !== wanted)
				problems.push(`/${phase}/${number}: ${servers.length + (server ? 1 : 0)} server spans, not ${wanted}`)
			else if (server !== undefined && server.parentId !== client?.spanId)
				problems.push(`/${phase}/${number}: the server span is not the client span's child`)
		}
	for (let number = 0; number < REQUESTS; number++) {
		// Else there were places left, and nothing was tested.
		if (of('server', 'crowded', number).length > 0) problems.push(`/crowded/${number} was seen by its server`)
		if (of('client', 'crowded', number).length > 1)
			problems.push(`/crowded/${number}: more than one client span`)
	}
	const told =
		spans.filter((span) => pathOf(span).startsWith('/crowded/')).length + counters.dropped_state_lost
	if (told !== REQUESTS)
		problems.push(`of ${REQUESTS} callers that did not see their answers ${told} are told`)
	if (counters.started !== counters.emitted + counters.dropped_state_lost)
		problems.push(
			`started ${counters.started}, emitted ${counters.emitted}, lost ${counters.dropped_state_lost}`,
		)
	if (statistics.malformed > 0) problems.push(`${statistics.malformed} malformed records`)
	return problems.map((text) => `with ${threads} threads in a receive and room for ${room}: ${text}`)
}

const pathOf = ({ attributes }) => attributes['url.path'] ?? new URL(attributes['url.full']).pathname

/** Nothing that was seen may be other than it was; an answer that was not seen says so. */
function untruths(span) {
	const path = pathOf(span)
	const number = Number(path.split('/').pop())
	const isAnswered = span.attributes['vor.response.observed'] !== false
	const wanted = {
		'http.request.method': 'GET',
		'http.request.body.size': 0,
		'http.response.status_code': isAnswered ? 200 : undefined,
		'http.response.body.size': isAnswered ? 100 + number : undefined,
	}
	return Object.entries(wanted)
		.filter(([name, value]) => span.attributes[name] !== value)
		.map(([name, value]) => `${path} ${span.kind}: ${name} is ${span.attributes[name]}, not ${value}`)
}
