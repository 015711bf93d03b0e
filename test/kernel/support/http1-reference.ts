/**
 * HTTP/1 read from whole byte strings, as RFC 9112 has it and as plainly as it can be written: the judge of what the kernel's
 * parser says of the same bytes. Bytes are latin1 characters.
 */
export interface Message {
	/** Request line. */
	readonly method: string
	readonly target: string
	/** Status line; 0 for requests. */
	readonly status: number
	readonly host: string
	readonly traceId: string
	/** Bytes of content, without framing. */
	readonly body: number
	/** All of it is there; else the bytes ended before. */
	readonly complete: boolean
}

export interface Parsed {
	readonly messages: readonly Message[]
	/** The bytes from somewhere on are no message. */
	readonly broken: boolean
}

const REQUEST = /^([^ ]+) (.+) HTTP\/1\.\d$/s
const STATUS = /^HTTP\/1\.\d ([1-9]\d\d)( .*)?$/s
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

interface Head {
	readonly first: RegExpExecArray
	readonly length: number | undefined
	readonly coding: string
	readonly host: string
	readonly traceId: string
	/** Where the body begins. */
	readonly end: number
}

export const parseRequests = (text: string): Parsed => parse(text, REQUEST, () => '')
/** `methods`: of the requests that are answered, in turn. What has no length goes on to the end of the bytes. */
export const parseResponses = (text: string, methods: readonly string[]): Parsed =>
	parse(text, STATUS, (finals) => methods[finals] ?? '')

function parse(text: string, line: RegExp, methodOf: (finals: number) => string): Parsed {
	const messages: Message[] = []
	let finals = 0
	let at = 0
	for (;;) {
		while (text[at] === '\n' || text.startsWith('\r\n', at)) at += text[at] === '\n' ? 1 : 2
		if (at === text.length) return { messages, broken: false }
		const head = readHead(text, at, line)
		if (head === undefined) return { messages, broken: true }
		const isRequest = line === REQUEST
		const status = isRequest ? 0 : Number(head.first[1])
		const isInterim = !isRequest && status < 200 && status !== 101
		const method = isRequest ? String(head.first[1]) : methodOf(finals)
		// Nobody knows where such a request ends.
		if (isRequest && head.coding !== '' && !isChunked(head.coding)) return { messages, broken: true }
		const body = readBody(text, head, isRequest, bodiless(status, method))
		messages.push({
			method: isRequest ? method : '',
			target: isRequest ? String(head.first[2]) : '',
			status,
			host: head.host,
			traceId: head.traceId,
			body: body?.size ?? 0,
			complete: body?.complete ?? false,
		})
		// Its head was right, its chunks are not.
		if (body === undefined) return { messages, broken: true }
		if (!isInterim) finals++
		at = body.end
		if (!body.complete || status === 101 || (method === 'CONNECT' && !isRequest && status < 300))
			return { messages, broken: false }
	}
}

const bodiless = (status: number, method: string): boolean =>
	(status >= 100 && status < 200) ||
	status === 204 ||
	status === 304 ||
	(status > 0 && (method === 'HEAD' || (method === 'CONNECT' && status < 300)))

function readHead(text: string, from: number, line: RegExp): Head | undefined {
	let at = from
	let first: RegExpExecArray | null = null
	let length: number | undefined
	const codings: string[] = []
	const hosts: string[] = []
	const parents: string[] = []
	let last = ''
	for (;;) {
		const feed = text.indexOf('\n', at)
		if (feed < 0) return undefined
		const row = text.slice(at, feed > at && text[feed - 1] === '\r' ? feed - 1 : feed)
		at = feed + 1
		if (first === null) {
			first = line.exec(row)
			if (first === null) return undefined
			continue
		}
		if (row === '') break
		if (/^[ \t]/.test(row)) {
			// A folded line: the value before it is not what it seemed.
			if (last === 'content-length' || last === 'transfer-encoding') return undefined
			if (last === 'traceparent') parents.push('folded')
			continue
		}
		const [, name = '', blank = '', value = ''] = /^([^:]*?)([ \t]*):(.*)$/s.exec(row) ?? []
		last = name.toLowerCase()
		const content = value.replace(/^[ \t]+|[ \t]+$/g, '')
		const isFraming = last === 'content-length' || last === 'transfer-encoding'
		if (blank !== '') {
			if (isFraming) return undefined
			last = ''
		}
		if (last === 'content-length') {
			if (length !== undefined || !/^\d{1,18}$/.test(content)) return undefined
			length = Number(content)
		} else if (last === 'transfer-encoding') codings.push(content.toLowerCase())
		else if (last === 'host') hosts.push(content)
		else if (last === 'traceparent') parents.push(content)
	}
	const parent = parents.length === 1 ? TRACEPARENT.exec(parents[0] as string) : null
	const isKnown = parent !== null && (parent[1] !== '00' || parent[3] === undefined)
	return {
		first,
		length,
		coding: codings.join(','),
		host: hosts[0] ?? '',
		traceId: isKnown ? String(parent[2]) : '',
		end: at,
	}
}

interface Body {
	readonly size: number
	readonly end: number
	readonly complete: boolean
}

function readBody(text: string, head: Head, isRequest: boolean, none: boolean): Body | undefined {
	const { end, length, coding } = head
	if (none) return { size: 0, end, complete: true }
	if (isChunked(coding)) return readChunks(text, end)
	if (coding !== '') return untilClose(text, end)
	if (length === undefined) return isRequest ? { size: 0, end, complete: true } : untilClose(text, end)
	const complete = end + length <= text.length
	return { size: complete ? length : text.length - end, end: end + length, complete }
}

const isChunked = (coding: string): boolean => /(^|[, \t])chunked$/.test(coding)

const untilClose = (text: string, from: number): Body => ({
	size: text.length - from,
	end: text.length,
	complete: true,
})

function readChunks(text: string, from: number): Body | undefined {
	let at = from
	let size = 0
	for (;;) {
		const feed = text.indexOf('\n', at)
		if (feed < 0) return { size, end: text.length, complete: false }
		const [, digits] = /^([0-9a-fA-F]{1,15})[ \t]*(;.*)?\r?$/s.exec(text.slice(at, feed)) ?? []
		if (digits === undefined) return undefined
		const length = Number.parseInt(digits, 16)
		at = feed + 1
		if (length === 0) break
		if (at + length > text.length) return { size: size + text.length - at, end: text.length, complete: false }
		size += length
		at += length
		if (text.startsWith('\r\n', at)) at += 2
		else if (text[at] === '\n') at += 1
		else
			return at === text.length || text.slice(at) === '\r'
				? { size, end: text.length, complete: false }
				: undefined
	}
	for (;;) {
		const feed = text.indexOf('\n', at)
		if (feed < 0) return { size, end: text.length, complete: false }
		const row = text.slice(at, feed)
		at = feed + 1
		if (row === '' || row === '\r') return { size, end: at, complete: true }
	}
}
