import { describe, expect, it } from 'vitest'
import { DURATION_BUCKETS, SIZE_BUCKETS } from '../../src/aggregate/buckets.ts'
import {
	ABSENT_NAMES,
	EVIDENCE,
	EVIDENCE_NAMES,
	HTTP_FLAG,
	METHOD_NAMES,
	PROTOCOL,
	RECORD_KIND,
	ROLE,
} from '../../src/model/record.ts'
import { contract } from './support/records.ts'

const snake = (name: string): string =>
	name
		.replace(/(\d+)$/, '_$1')
		.replace(/([A-Z])/g, '_$1')
		.toUpperCase()

describe('the numbers of the kernel contract', () => {
	it('are the same in the engines and in bpf/events.h', () => {
		const expected: Record<string, number> = {}
		for (const [name, value] of Object.entries(HTTP_FLAG)) expected[`VOR_HTTP_${snake(name)}`] = value
		for (const [name, value] of Object.entries(EVIDENCE)) expected[`VOR_EVIDENCE_${snake(name)}`] = value
		for (const [name, value] of Object.entries(ROLE)) expected[`VOR_ROLE_${snake(name)}`] = value
		for (const [name, value] of Object.entries(RECORD_KIND))
			expected[`VOR_RECORD_${name.toUpperCase()}`] = value
		for (const [name, value] of Object.entries(PROTOCOL)) expected[`VOR_PROTO_${name.toUpperCase()}`] = value
		for (const [index, name] of METHOD_NAMES.entries())
			expected[`VOR_METHOD_${name.replace('_', '')}`] = index
		for (const [index, name] of ABSENT_NAMES.entries()) expected[`VOR_ABSENT_${name.toUpperCase()}`] = index
		for (const [name, value] of Object.entries(expected))
			expect([name, contract.enums.get(name)]).toEqual([name, value])
	})

	it('leave no flag, evidence, method or absence of the header out', () => {
		const count = (prefix: string): number =>
			[...contract.enums.keys()].filter((name) => name.startsWith(prefix)).length
		expect(Object.keys(HTTP_FLAG)).toHaveLength(count('VOR_HTTP_'))
		expect(EVIDENCE_NAMES).toHaveLength(count('VOR_EVIDENCE_'))
		expect(METHOD_NAMES).toHaveLength(count('VOR_METHOD_') - 1)
		expect(ABSENT_NAMES).toHaveLength(count('VOR_ABSENT_'))
	})

	it('have as many histogram buckets on both sides', () => {
		expect(contract.enums.get('VOR_DURATION_BUCKETS')).toBe(DURATION_BUCKETS)
		expect(contract.enums.get('VOR_SIZE_BUCKETS')).toBe(SIZE_BUCKETS)
	})
})
