import { expect, test } from 'vitest'
import { isLoopback, parseListenAddress } from '../../src/server/listen-address.ts'

test.each([
	['127.0.0.1:12345', '127.0.0.1', 12345],
	['[::1]:80', '::1', 80],
	[':0', '', 0],
	['localhost:65535', 'localhost', 65535],
])('%s is understood', (text, host, port) => {
	expect(parseListenAddress(text)).toEqual({ host, port })
})

test.each(['', '12345', 'a:b', '127.0.0.1:65536', '::1:80', '127.0.0.1:', 'a:1:2'])(
	'%j is refused',
	(text) => {
		expect(() => parseListenAddress(text)).toThrow(/is no listen address/)
	},
)

test('all of 127/8, ::1 and localhost are loopback, nothing else is', () => {
	for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) expect(isLoopback(host)).toBe(true)
	for (const host of ['', '0.0.0.0', '::', '10.0.0.1', '127.example']) expect(isLoopback(host)).toBe(false)
})
