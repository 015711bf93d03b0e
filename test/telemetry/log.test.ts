import { expect, test } from 'vitest'
import { createLog, type LogFields } from '../../src/telemetry/log.ts'

function capture(level: 'debug' | 'info' | 'warn' | 'error' = 'info') {
	const lines: string[] = []
	return { lines, log: createLog({ level, write: (line) => void lines.push(line) }) }
}

test('a line has the form of Alloy: ts, level, msg, then the fields', () => {
	const { log, lines } = capture()
	log
		.child({ component_path: '/', component_id: 'beyla.ebpf.x' })
		.info('Starting GRPC server', { endpoint: '127.0.0.1:4317' })
	expect(lines).toHaveLength(1)
	expect(lines[0]).toMatch(
		/^ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z level=info msg="Starting GRPC server" component_path=\/ component_id=beyla\.ebpf\.x endpoint=127\.0\.0\.1:4317\n$/,
	)
})

test.each<[LogFields, string]>([
	[{ a: 'plain' }, 'a=plain'],
	[{ a: '' }, 'a=""'],
	[{ a: 'two words' }, 'a="two words"'],
	[{ a: 'x="1"\n' }, 'a="x=\\"1\\"\\n"'],
	[{ a: '\u001b[31m' }, 'a="\\u001b[31m"'],
	[{ a: null, b: true, c: 1.5 }, 'a=null b=true c=1.5'],
	[{ a: undefined, b: 1 }, 'b=1'],
	[{ err: new Error('no such file') }, 'err="no such file"'],
	[{ list: ['x', 'y'] }, 'list="[x y]"'],
	[{ msg: 'mine', level: 'mine' }, 'msg_=mine level_=mine'],
	[{ 'a b': 1 }, 'a_b=1'],
])('fields %j are written as %s', (fields, expected) => {
	const { log, lines } = capture()
	log.info('m', fields)
	expect(lines[0]!.slice(lines[0]!.indexOf(' msg=m ') + 7)).toBe(`${expected}\n`)
})

test('a hostile field cannot forge a second line', () => {
	const { log, lines } = capture()
	log.warn('m', { name: 'x\nts=0 level=error msg=forged' })
	expect(lines.join('').match(/\n/g)).toHaveLength(1)
})

test('children made before a change of level and format follow it', () => {
	const { log, lines } = capture('warn')
	const child = log.child({ node: 'a' })
	child.info('too low')
	expect(lines).toHaveLength(0)
	log.setLevel('debug')
	log.setFormat('json')
	child.debug('now')
	expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'debug', msg: 'now', node: 'a' })
})
