// Runs the request mix over every family and way on one surface and judges what came out.
import { setTimeout as sleep } from 'node:timers/promises'
import { bootClock } from 'bpf-native-loader'
import { surfaceView } from '../../../dist/capture/surface-view.js'
import { comparable, differences, expectedSpans, untrue } from './expected.mjs'
import { startLine } from './line.mjs'
import { runClient, startServer } from './programs.mjs'

/** The order of io.c: a server's addresses come in it, `all` and `body` for each. */
const WAYS = [
	'write',
	'writev',
	'send',
	'sendmsg',
	'sendmmsg',
	'sendfile',
	'splice-in',
	'splice-out',
	'io_uring',
	'ktls',
]
/** What every surface must see on TCP and unix sockets. */
export const REQUIRED_WAYS = ['write', 'writev', 'send', 'sendmsg', 'sendmmsg']
/** Without a new span for so long (the propagator's hold, and some) no more will come; and the longest wait. */
const QUIET_MS = 5500
const SETTLE_MS = 20_000
const NOT_HERE = 3
/** Where mix.c lies under its three names. */
const PROGRAMS = process.env.VOR_MIX_FOLDER ?? '/bin'
const NODE_REQUESTS = 24

/**
 * Returns { cells: [{ family, way, result, problems }], node, capture }. `result` is 'seen', 'bytes only', 'not seen',
 * 'not here' (the kernel has no such path) or 'wrong' (spans that differ from what was sent: always a failure).
 */
export async function runMix({ surface, storage, families, ways, node, patienceMs }) {
	const servers = []
	let line
	try {
		for (const family of families) servers.push(await startPair(family, patienceMs))
		// Started after the servers on purpose: those it must find, the clients it must meet.
		line = await startLine({ surface, storage })
		const runs = []
		const runAll = async (some) => {
			for (const pair of servers)
				for (const way of some)
					for (const mode of modesOf(way)) runs.push(await runOne(pair, way, mode, patienceMs))
		}
		const total = () =>
			runs.reduce(
				(sum, run) => sum + (run.client.code === 0 ? run.expected.length : 0),
				node ? 2 * NODE_REQUESTS : 0,
			)
		await runAll(ways.filter((way) => REQUIRED_WAYS.includes(way)))
		const nodeRun = node ? await runNode(patienceMs) : undefined
		await settle(line, total())
		// Before the paths of which a surface may see half: there it drops what it cannot know, and says so.
		const problems = accounting(line.capture)
		await runAll(ways.filter((way) => !REQUIRED_WAYS.includes(way)))
		await settle(line, total())
		const capture = await line.stop()
		const cells = judge(runs, line.spans)
		problems.push(...brokenPromises(cells, surfaceView(capture.surface, capture.form)))
		return {
			cells,
			node: nodeRun === undefined ? undefined : judgeNode(nodeRun, line.spans),
			capture,
			problems,
		}
	} finally {
		await line?.capture.stop()
		for (const pair of servers) await pair.stop()
	}
}

const modesOf = (way) => (REQUIRED_WAYS.includes(way) ? ['all'] : ['all', 'body'])

async function startPair(family, patienceMs) {
	const upstream = await startServer(`${PROGRAMS}/mix-upstream`, ['server', family], patienceMs)
	const server = await startServer(`${PROGRAMS}/mix-server`, ['server', family, upstream.line], patienceMs)
	return {
		family,
		addressOf: (way, mode) => server.line.split(',')[indexOf(way, mode)],
		upstreamOf: (way, mode) => upstream.line.split(',')[indexOf(way, mode)],
		async stop() {
			await server.stop()
			await upstream.stop()
		},
	}
}

const indexOf = (way, mode) => WAYS.indexOf(way) * 2 + (mode === 'all' ? 0 : 1)

async function runOne(pair, way, mode, patienceMs) {
	const { family } = pair
	const address = pair.addressOf(way, mode)
	const fromNs = bootClock().bootNs
	const client = await runClient(`${PROGRAMS}/mix-client`, ['client', family, way, mode, address], patienceMs)
	// The last response's end may be read by nobody for a moment: the window closes a little later.
	await sleep(2)
	return {
		family,
		way,
		mode,
		client,
		fromNs,
		toNs: bootClock().bootNs,
		listeners: family === 'unix' ? [] : [Number(address), Number(pair.upstreamOf(way, mode))],
		expected: expectedSpans(family, way),
	}
}

async function runNode(patienceMs) {
	const script = new URL('node-program.mjs', import.meta.url).pathname
	const server = await startServer(process.execPath, [script, 'server'], patienceMs)
	try {
		const fromNs = bootClock().bootNs
		const args = [script, 'client', server.line, String(NODE_REQUESTS)]
		const client = await runClient(process.execPath, args, patienceMs)
		return { client, fromNs, toNs: bootClock().bootNs, port: Number(server.line) }
	} finally {
		await server.stop()
	}
}

/** Until all that can come has come, or nothing more comes. */
export async function settle(line, wanted) {
	const end = performance.now() + SETTLE_MS
	let count = -1
	let since = 0
	while (line.spans.length < wanted && performance.now() < end) {
		if (line.spans.length !== count) {
			count = line.spans.length
			since = performance.now()
		} else if (performance.now() - since > QUIET_MS) break
		await sleep(20)
	}
	// One drain more, for what should not be there.
	await sleep(60)
}

function judge(runs, spans) {
	const problemsOf = (run) => {
		const own = spans.filter((span) => span.startNs >= run.fromNs && span.startNs <= run.toNs)
		return differences(comparable(own, run.listeners), run.expected)
	}
	const cells = []
	for (const run of runs) {
		if (run.mode !== 'all') continue
		const { family, way, client } = run
		const cell = (result, problems = []) => cells.push({ family, way, result, problems })
		if (client.code === NOT_HERE) {
			cell('not here', [client.errors])
			continue
		}
		if (client.code !== 0) {
			cell('wrong', [`the client ended with ${client.code}: ${client.errors}`])
			continue
		}
		const problems = problemsOf(run)
		if (problems.length === 0) cell('seen')
		else if (REQUIRED_WAYS.includes(way)) cell('wrong', problems)
		else {
			// Heads by write and read: with every size right, only the bodies take a path that shows no bytes.
			const body = runs.find((each) => each.family === family && each.way === way && each.mode === 'body')
			const left = problemsOf(body)
			// What is not seen may be absent, never other than it was.
			const wrong = [...untrue(problems), ...untrue(left)]
			if (wrong.length > 0) cell('wrong', wrong)
			else cell(left.length === 0 ? 'bytes only' : 'not seen', left)
		}
	}
	return cells
}

function judgeNode({ client, fromNs, toNs, port }, spans) {
	if (client.code !== 0)
		return { result: 'wrong', problems: [`the client ended with ${client.code}: ${client.errors}`] }
	const own = spans.filter((span) => span.startNs >= fromNs && span.startNs <= toNs)
	const problems = []
	for (let number = 0; number < NODE_REQUESTS; number++) {
		const of = (kind) =>
			own.filter((span) => {
				const path = span.attributes['url.path'] ?? new URL(span.attributes['url.full']).pathname
				return span.kind === kind && path === `/numbers/${number}`
			})
		const [server, ...moreServers] = of('server')
		const [caller, ...moreClients] = of('client')
		if (server === undefined || caller === undefined || moreServers.length + moreClients.length > 0) {
			problems.push(
				`/numbers/${number}: ${of('server').length} server and ${of('client').length} client spans`,
			)
			continue
		}
		if (server.parentId !== caller.spanId || server.traceId !== caller.traceId)
			problems.push(`/numbers/${number}: the server span is not the client span's child`)
		for (const [span, ports] of [
			[server, server.localPort],
			[caller, caller.remotePort],
		]) {
			const facts = [
				['http.response.status_code', number % 4 === 3 ? 500 : 200],
				['http.request.body.size', number + 1],
				['http.response.body.size', number],
				['http.request.method', 'POST'],
			]
			for (const [name, value] of facts)
				if (span.attributes[name] !== value)
					problems.push(`/numbers/${number} ${span.kind}: ${name} is ${span.attributes[name]}, not ${value}`)
			if (ports !== port) problems.push(`/numbers/${number} ${span.kind}: port ${ports}, not ${port}`)
		}
	}
	return { result: problems.length === 0 ? 'seen' : 'wrong', problems }
}

const RANK = { seen: 2, 'bytes only': 1, 'not seen': 0 }

/** What `vor check` says of this surface and the kernel does not keep. */
function brokenPromises(cells, view) {
	const problems = []
	for (const { path, seen, ways, families } of view)
		for (const { family, way, result } of cells)
			if (ways.includes(way) && families.includes(family.slice(0, 4).replace(/^tcp.$/, 'tcp')))
				if (RANK[result] < RANK[seen])
					problems.push(`vor check says of ${path}: ${seen}; ${family} ${way} is ${result}`)
	return problems
}

/** Nothing may be lost in a run this small. */
function accounting(capture) {
	const problems = []
	for (const [name, value] of Object.entries(capture.counters()))
		if (/^dropped_(?!rejected)|^state_full/.test(name) && value > 0) problems.push(`${name} = ${value}`)
	if (capture.statistics.malformed > 0) problems.push(`${capture.statistics.malformed} malformed records`)
	return problems
}
