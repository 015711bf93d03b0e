import fc from 'fast-check'

/** Messages that are right, in all the forms that HTTP/1 allows; bytes are latin1 characters. */
const blanks = fc.constantFrom('', ' ', '  ', '\t', ' \t ')
const word = fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/)
const cased = (name: string): fc.Arbitrary<string> =>
	fc.constantFrom(name, name.toLowerCase(), name.toUpperCase())
const feed = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n')

const common = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE')
const rare = fc.constantFrom('PROPFIND', 'M-SEARCH', 'GETS', 'POS', 'QUERY')
/** A connection is known as HTTP by the method of its first request: a common one. */
const methods = (first: boolean) =>
	first ? common : fc.oneof({ weight: 6, arbitrary: common }, { weight: 1, arbitrary: rare })
const target = fc
	.tuple(fc.stringMatching(/^[a-z0-9/._~%-]{0,40}$/), fc.stringMatching(/^[a-z0-9=&+]{0,30}$/))
	.map(([path, query]) => `/${path}${query === '' ? '' : `?${query}`}`)
const header = fc
	.tuple(word, blanks, fc.stringMatching(/^[!-~]{0,60}$/), blanks)
	.filter(([name]) => !/^(content-length|transfer-encoding|host|traceparent)$/i.test(name))
	.map(([name, before, value, after]) => `${name}:${before}${value}${after}`)
const folded = fc.tuple(header, word).map(([line, more]) => `${line}\n ${more}`)
const long = fc
	.tuple(word, fc.integer({ min: 100, max: 900 }))
	.map(([name, n]) => `${name}: ${'v'.repeat(n)}`)
const traceparent = fc
	.tuple(
		cased('Traceparent'),
		fc.stringMatching(/^[0-9a-f]{31}[1-9]$/),
		fc.stringMatching(/^[0-9a-f]{15}[1-9]$/),
	)
	.map(([name, trace, parent]) => `${name}: 00-${trace}-${parent}-01`)
const host = fc
	.tuple(cased('Host'), blanks, fc.stringMatching(/^[a-z0-9.:-]{1,30}$/))
	.map((parts) => `${parts[0]}:${parts[1]}${parts[2]}`)
const others = fc.array(
	fc.oneof(
		{ weight: 6, arbitrary: header },
		{ weight: 1, arbitrary: folded },
		{ weight: 1, arbitrary: long },
	),
	{ maxLength: 6 },
)

interface Framed {
	readonly lines: readonly string[]
	readonly body: string
}

const content = fc.integer({ min: 0, max: 300 }).map((n) => 'b'.repeat(n))
const sized: fc.Arbitrary<Framed> = fc
	.tuple(cased('Content-Length'), blanks, content, blanks)
	.map(([name, before, body, after]) => ({ lines: [`${name}:${before}${body.length}${after}`], body }))
const chunk = fc
	.tuple(fc.integer({ min: 1, max: 200 }), fc.boolean(), fc.constantFrom('', ';a=b', ' ', ';x="y"', ' ;z'))
	.map(
		([n, upper, extension]) =>
			`${upper ? n.toString(16).toUpperCase() : `0${n.toString(16)}`}${extension}\r\n${'c'.repeat(n)}\r\n`,
	)
const chunked: fc.Arbitrary<Framed> = fc
	.tuple(
		cased('Transfer-Encoding'),
		fc.constantFrom('chunked', 'Chunked', 'gzip, chunked'),
		fc.array(chunk, { maxLength: 8 }),
		fc.constantFrom('', 'Trailer: x\r\n', 'A: 1\r\nB: 2\r\n'),
	)
	.map(([name, coding, chunks, trailers]) => ({
		lines: [`${name}: ${coding}`],
		body: `${chunks.join('')}0\r\n${trailers}\r\n`,
	}))
const bare: fc.Arbitrary<Framed> = fc.constant({ lines: [], body: '' })

/** The lines in some order, each with its end. */
const head = (lines: readonly string[], order: number, end: string): string => {
	const sorted = [...lines]
	for (let i = sorted.length - 1; i > 0; i--) {
		const j = (order * (i + 7)) % (i + 1)
		const [a, b] = [sorted[i] as string, sorted[j] as string]
		sorted[i] = b
		sorted[j] = a
	}
	return sorted.map((line) => line + end).join('')
}

const request = (first: boolean): fc.Arbitrary<{ method: string; text: string }> =>
	fc
		.record({
			method: methods(first),
			target,
			host: fc.option(host, { nil: undefined }),
			parent: fc.option(traceparent, { nil: undefined }),
			others,
			framed: fc.oneof(bare, sized, chunked),
			order: fc.nat(1000),
			end: feed,
			version: fc.constantFrom('1.1', '1.1', '1.0'),
		})
		.map((parts) => {
			const lines = [...parts.others, ...parts.framed.lines]
			if (parts.host !== undefined) lines.push(parts.host)
			if (parts.parent !== undefined) lines.push(parts.parent)
			const first = `${parts.method} ${parts.target} HTTP/${parts.version}${parts.end}`
			return {
				method: parts.method,
				text: `${first}${head(lines, parts.order, parts.end)}${parts.end}${parts.framed.body}`,
			}
		})

const status = fc.constantFrom(200, 201, 204, 206, 301, 304, 400, 404, 418, 500, 503, 599)
const interim = fc.constantFrom(
	'',
	'',
	'',
	'HTTP/1.1 100 Continue\r\n\r\n',
	'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n',
)

/** The answer to a request of this method; only the `last` of a connection may go on until it closes. */
const response = (asked: string, last: boolean): fc.Arbitrary<string> =>
	fc
		.record({
			interim,
			status,
			reason: fc.constantFrom('', ' ', ' OK', ' Not at all'),
			others,
			framed: last ? fc.oneof(sized, chunked, bare) : fc.oneof(sized, chunked),
			order: fc.nat(1000),
			end: feed,
		})
		.map((parts) => {
			const none = asked === 'HEAD' || parts.status === 204 || parts.status === 304
			const lines = head([...parts.others, ...parts.framed.lines], parts.order, parts.end)
			const first = `HTTP/1.1 ${parts.status}${parts.reason}${parts.end}`
			return `${parts.interim}${first}${lines}${parts.end}${none ? '' : parts.framed.body}`
		})

/** A turn of a connection that both sides understand. */
export const turn = (
	first: boolean,
	last: boolean,
): fc.Arbitrary<{ method: string; request: string; response: string }> =>
	request(first).chain(({ method: asked, text }) =>
		response(asked, last).map((answer) => ({ method: asked, request: text, response: answer })),
	)

/** Something done to bytes: at a place given as a fraction of their length. */
export interface Mutation {
	readonly what: 'flip' | 'set' | 'remove' | 'insert' | 'repeat' | 'end'
	readonly place: number
	readonly value: number
	readonly length: number
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
	what: fc.constantFrom('flip', 'set', 'remove', 'insert', 'repeat', 'end'),
	place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
	// Half of them bytes that mean something.
	value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('\r\n :\t0\0;,/HTP1.'))),
	length: fc.integer({ min: 1, max: 12 }),
})

export function mutate(text: string, { what, place, value, length }: Mutation): string {
	const at = Math.floor(place * text.length)
	const [before, after] = [text.slice(0, at), text.slice(at)]
	const byte = String.fromCharCode(value)
	switch (what) {
		case 'flip':
			return before + String.fromCharCode(text.charCodeAt(at) ^ (1 << (value & 7))) + after.slice(1)
		case 'set':
			return before + byte + after.slice(1)
		case 'remove':
			return before + after.slice(length)
		case 'insert':
			return before + byte.repeat(length) + after
		case 'repeat':
			return before + after.slice(0, length) + after
		case 'end':
			return before
	}
}
