import { expect, it } from 'vitest'
import { attr, defineArgs, defineExports } from '../../src/eval/args.ts'
import { string } from '../../src/eval/types.ts'
import type { AnyDefinition } from '../../src/graph/component.ts'
import { createGraph } from '../../src/graph/graph.ts'
import { createRegistry } from '../../src/graph/registry.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'
import type { ActiveSpan } from '../../src/telemetry/tracer.ts'
import { eventually } from './support.ts'

const metadata = { summary: 'for tests', consumes: [], produces: [] }
const source = (text: string) => ({ path: 'c.alloy', files: [{ name: 'c.alloy', text }] })

it('a component that is stopped while its successor takes its place does not start that one', async () => {
	const lines: string[] = []
	let letGo = () => {}
	const held = new Promise<void>((done) => {
		letGo = done
	})
	let tell = (_text: string) => {}
	const text: AnyDefinition = {
		name: 'test.text',
		stability: 'generally-available',
		args: defineArgs({}),
		exports: defineExports({ text: string }),
		metadata,
		build({ onStateChange }) {
			tell = (next) => onStateChange({ text: next } as never)
			tell('first')
			return { update: () => undefined, stop: async () => {} }
		},
	}
	const port: AnyDefinition = {
		name: 'test.port',
		stability: 'generally-available',
		exclusive: true,
		args: defineArgs({ tag: attr(string) }),
		exports: defineExports({}),
		metadata,
		build(_options, args) {
			const { tag } = args as { readonly tag: string }
			return {
				start: async () => void lines.push(`start ${tag}`),
				update: () => 'restart',
				async stop() {
					lines.push(`stop ${tag}`)
					if (tag === 'first') await held
				},
			}
		},
	}
	const graph = createGraph({
		registry: createRegistry([text, port]),
		accounting: createAccounting(),
		logger: createLog({ write: () => {} }),
		storagePath: 'data',
		stabilityLevel: 'generally-available',
	})
	expect((await graph.load(source('test.text "t" { }\ntest.port "p" { tag = test.text.t.text }'))).ok).toBe(
		true,
	)
	tell('second')
	await eventually(() => lines.includes('stop first'))
	const stopped = graph.stop(1000)
	await eventually(() => lines.includes('stop second'))
	letGo()
	expect(await stopped).toEqual({ clean: true })
	await graph.settled()
	expect(lines).toEqual(['start first', 'stop first', 'stop second'])
})

it('a load that breaks ends its trace, and the wait for what a tracing block says', async () => {
	const seen: string[] = []
	const span = (name: string): ActiveSpan => ({
		child: span,
		set() {},
		traceparent: undefined,
		end: (problem) => void seen.push(`${name}: ${problem}`),
	})
	const graph = createGraph({
		registry: createRegistry([]),
		accounting: createAccounting(),
		logger: createLog({
			write() {
				throw new Error('disk full')
			},
		}),
		storagePath: 'data',
		stabilityLevel: 'generally-available',
		tracer: { root: span, expect: () => void seen.push('expect'), forget: () => void seen.push('forget') },
	})
	await expect(graph.load(source('tracing { }'))).rejects.toThrow('disk full')
	expect(seen[0]).toBe('expect')
	expect(seen.at(-2)).toBe('LoadConfiguration: disk full')
	expect(seen.at(-1)).toBe('forget')
})
