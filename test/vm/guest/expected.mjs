// What the requests of mix.c must become: every span, every attribute, every parent. `check` says what differs.

const HEADER_TRACE = '0af7651916cd43dd8448eb211c80319c'
const HEADER_SPAN = 'b7ad6b7169203331'

/** method, target, route, status, request and response body sizes, in the order of run_client. */
const REQUESTS = [
	{ method: 'GET', path: '/items/17', query: 'full=yes', route: '/items/*', status: 200, in: 0, out: 1000 },
	{ method: 'POST', path: '/orders', route: '/orders', status: 201, in: 5, out: 7 },
	{ method: 'HEAD', path: '/items/17', route: '/items/*', status: 200, in: 0, out: 0 },
	{ method: 'GET', path: '/missing', route: '/missing', status: 404, in: 0, out: 2 },
	{ method: 'DELETE', path: '/items/17', route: '/items/*', status: 204, in: 0, out: 0 },
	{ method: 'PUT', path: '/fail', route: '/fail', status: 500, in: 5, out: 4 },
	{ method: 'GET', path: '/via', route: '/via', status: 200, in: 0, out: 3 },
]
const UPSTREAM = { method: 'GET', path: '/items/17', route: '/items/*', status: 200, in: 0, out: 1000 }

const ADDRESS = { tcp4: '127.0.0.1', tcp6: '::1' }

/**
 * Exact or absent: the ends of a unix connection are joined by no surface so far, nor those of a kTLS connection, whose
 * sequence numbers count encrypted bytes. A caller that wrote a `traceparent` of its
 * own is in that trace, and so is the server's span: below the caller where the caller's head was read in time, else beside.
 */
const OPTIONAL = { none: 'none', header: 'header' }

/** One connection's spans, in the order in which their requests were made; client before server. */
export function expectedSpans(family, way) {
	const spans = []
	const joinable = family !== 'unix' && way !== 'ktls'
	for (const request of REQUESTS) {
		const named = { host: 'shop.example', port: 8080, ...request }
		spans.push(span('mix-client', 'client', family, named, request === REQUESTS[0] ? 'header' : 'none'))
		const spare = request === REQUESTS[0] ? OPTIONAL.header : joinable ? undefined : OPTIONAL.none
		spans.push(span('mix-server', 'server', family, named, 'mix-client client', spare))
	}
	const upstream = { host: 'stock.example', port: undefined, ...UPSTREAM }
	spans.push(span('mix-server', 'client', family, upstream, 'mix-server server'))
	spans.push(
		span(
			'mix-upstream',
			'server',
			family,
			upstream,
			'mix-server client',
			joinable ? undefined : OPTIONAL.none,
		),
	)
	return spans
}

/** `spare`: another parent that is as exact. */
function span(service, kind, family, request, parent, spare) {
	const failed = request.status >= (kind === 'server' ? 500 : 400)
	const port = request.port ?? (family === 'unix' ? undefined : 'listener')
	const attributes = {
		'http.request.method': request.method,
		'url.scheme': 'http',
		'http.response.status_code': request.status,
		'network.protocol.version': '1.1',
		'http.request.body.size': request.in,
		'http.response.body.size': request.out,
		'server.address': request.host,
	}
	if (port !== undefined) attributes['server.port'] = port
	if (failed) attributes['error.type'] = String(request.status)
	if (kind === 'server') {
		attributes['url.path'] = request.path
		if (request.query !== undefined) attributes['url.query'] = request.query
		attributes['http.route'] = request.route
		if (family !== 'unix') attributes['client.address'] = ADDRESS[family]
	} else {
		const shown = port === undefined ? '' : `:${port}`
		const query = request.query === undefined ? '' : `?${request.query}`
		attributes['url.full'] = `http://${request.host}${shown}${request.path}${query}`
		attributes['url.template'] = request.route
	}
	if (family === 'unix') attributes['network.transport'] = 'unix'
	else {
		attributes['network.peer.address'] = ADDRESS[family]
		attributes['network.peer.port'] = kind === 'client' ? 'listener' : 'ephemeral'
	}
	return {
		service,
		kind,
		name: `${request.method} ${request.route}`,
		status: failed ? 2 : 0,
		parent,
		spare,
		attributes,
	}
}

/** Attributes that tell of times, of the surface's own means, or of what only the matrix's other rows may know. */
const VARYING = ['vor.queue.duration', 'vor.parent.evidence', 'service.peer.name']

/** The spans of one connection made comparable: ports and ids become roles. */
export function comparable(spans, listeners) {
	const byId = new Map(spans.map((each) => [each.spanId, each]))
	const port = (value) => (listeners.includes(value) ? 'listener' : value > 0 ? 'ephemeral' : value)
	return [...spans].sort(byStart).map((each) => {
		const attributes = { ...each.attributes }
		for (const name of VARYING) delete attributes[name]
		if ('network.peer.port' in attributes)
			attributes['network.peer.port'] = port(attributes['network.peer.port'])
		if (listeners.includes(attributes['server.port'])) attributes['server.port'] = 'listener'
		for (const listener of listeners)
			if (attributes['url.full']?.includes(`:${listener}/`))
				attributes['url.full'] = attributes['url.full'].replace(`:${listener}/`, ':listener/')
		return {
			service: each.service,
			kind: each.kind,
			name: each.name,
			status: each.status,
			parent: parentOf(each, byId),
			attributes,
		}
	})
}

function parentOf(span, byId) {
	if (/^0+$/.test(span.parentId)) return 'none'
	if (span.parentId === HEADER_SPAN)
		return span.traceId === HEADER_TRACE ? 'header' : 'header of another trace'
	const parent = byId.get(span.parentId)
	if (parent === undefined) return 'a span that was not exported'
	if (parent.traceId !== span.traceId) return 'a span of another trace'
	// Time tells which request it was: a parent begins before its child, and ends after the child began.
	if (parent.endNs < span.startNs) return 'a span that was over'
	return `${parent.service} ${parent.kind}`
}

const byStart = (a, b) => a.startNs - b.startNs

/** What differs, one line each; [] = as expected. `found` and `wanted` are lists of comparable spans. */
export function differences(found, wanted) {
	const problems = []
	const left = [...found]
	const text = ({ spare: _, ...each }) =>
		JSON.stringify({ ...each, attributes: Object.fromEntries(Object.entries(each.attributes).sort()) })
	for (const want of wanted) {
		const same = (each) => each.service === want.service && each.kind === want.kind && each.name === want.name
		const label = `${want.service} ${want.kind} ${want.name}`
		const texts = [text(want), text({ ...want, parent: want.spare ?? want.parent })]
		const exact = left.findIndex((each) => texts.includes(text(each)))
		const at = exact >= 0 ? exact : left.findIndex(same)
		if (at < 0) {
			problems.push(`missing: ${label}`)
			continue
		}
		const [got] = left.splice(at, 1)
		if (exact >= 0) continue
		if (got.status !== want.status) problems.push(`${label}: status is ${got.status}, not ${want.status}`)
		if (got.parent !== want.parent && got.parent !== want.spare)
			problems.push(`${label}: parent is ${got.parent}, not ${want.parent}`)
		for (const key of new Set([...Object.keys(got.attributes), ...Object.keys(want.attributes)]))
			if (got.attributes[key] !== want.attributes[key])
				problems.push(`${label}: ${key} is ${got.attributes[key]}, not ${want.attributes[key]}`)
	}
	for (const extra of left) problems.push(`not expected: ${extra.service} ${extra.kind} ${extra.name}`)
	return problems
}

/** Said where something was not seen, and true: the span is missing, or it lacks what nobody saw, or says so itself. */
const TRUE = [
	/^missing: /,
	/: parent is (none|a span that was not exported), not /,
	/: \S+ is undefined, not /,
	/: vor\.(response\.observed|(request|response)\.size\.exact) is false, not undefined$/,
]
/** A span without an answer has no status of one. */
const UNANSWERED = /^(.*): vor\.response\.observed is false, /
const INEXACT = /^(.*): vor\.(?:request|response)\.size\.exact is false, /

/** Of these differences, those that no missing sight explains. */
export function untrue(problems) {
	const labels = (pattern) => problems.flatMap((text) => pattern.exec(text)?.[1] ?? [])
	const unanswered = labels(UNANSWERED)
	const inexact = labels(INEXACT)
	return problems.filter(
		(text) =>
			!TRUE.some((pattern) => pattern.test(text)) &&
			!unanswered.some((label) => text.startsWith(`${label}: status is 0`)) &&
			!inexact.some((label) => text.startsWith(`${label}: http.`) && text.includes('.body.size is ')),
	)
}
