import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { expect, test } from 'vitest'
import { casesOf } from '../../src/bench/settings.ts'
import { command } from '../../src/cli/bench.ts'
import { benchOptions, commandOf, settingsOf } from '../../src/cli/bench-settings.ts'

const page = (name: string) =>
	readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8')
const settings = (line: string) => {
	const { values } = parseArgs({ args: line.split(/ +/).slice(2), options: benchOptions })
	return { values, settings: settingsOf(values) }
}

test('every flag is in the help, and every flag of the help exists', () => {
	const told = [...command.usage.matchAll(/^ {2}(?:.* )?--([a-z-]+)/gm)].map((match) => match[1])
	for (const name of Object.keys(benchOptions)) expect(command.usage).toContain(`--${name}`)
	for (const name of told) expect(Object.keys(benchOptions)).toContain(name)
})

test('what the help says is the default is the default', () => {
	const words = [
		...command.usage.matchAll(/--(?:sizes|rates|connections|processes|pairs|round-ms|user-ms)=\S+/g),
	]
	expect(words).toHaveLength(7)
	const line = `vor bench ${words.map(([word]) => word).join(' ')}`
	expect(settings(line).settings).toEqual(settings('vor bench').settings)
	expect(casesOf(settings('vor bench').settings)).toHaveLength(10)
	expect(casesOf(settings('vor bench --quick').settings)).toHaveLength(1)
})

test('the commands on the pages are taken', () => {
	const lines = ['bench.md', 'overhead.md'].flatMap((name) =>
		[...page(name).matchAll(/^sudo (vor bench[^#|\n]*)/gm)].map((match) => match[1]!.trim()),
	)
	expect(lines.length).toBeGreaterThan(5)
	for (const line of lines) expect(() => settings(line), line).not.toThrow()
})

test('the command of a report makes the same measurement again, without where the report went', () => {
	const line = 'vor bench --quick --surface=A,D --sizes=77 --pairs=3 --json=- --html=x.html'
	const again = commandOf(settings(line).values)
	expect(again).toBe('vor bench --quick --surface=A,D --sizes=77 --pairs=3')
	expect(settings(again).settings).toEqual(settings(line).settings)
	expect(commandOf(settings('vor bench').values)).toBe('vor bench')
})
