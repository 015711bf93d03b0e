import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { CliCommand } from '../../src/cli/command.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import { commands } from '../../src/cli/index.ts'
import { didYouMean } from '../../src/util/did-you-mean.ts'
import { VorError } from '../../src/util/errors.ts'

const failing: CliCommand = {
	name: 'probe',
	summary: 'Fails.',
	usage: 'vor probe',
	run: (argv) => {
		if (argv[0] === 'internal') return Promise.reject(new RangeError('out of range'))
		if (argv[0] === 'five') return Promise.resolve(5)
		return Promise.reject(new VorError('E_FILE', 'no such file: x.alloy', { fix: 'name a file that exists' }))
	},
}
const table = [{ name: 'probe', aliases: ['pr'], summary: 'Fails.', load: () => Promise.resolve(failing) }]

const vor = (...argv: string[]) => run(argv, table)

async function run(argv: readonly string[], from: typeof commands) {
	const stdout = new PassThrough()
	const stderr = new PassThrough()
	const code = await dispatch(argv, { stdout, stderr, env: {}, isTty: false }, from)
	return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

test('without a command the help is shown and the exit code is 1, with --help it is 0', async () => {
	expect(await vor()).toMatchObject({ code: 1, out: expect.stringContaining('probe  Fails.') as string })
	expect(await vor('--help')).toMatchObject({ code: 0, err: '' })
})

test('--version names the version of package.json', async () => {
	expect((await vor('--version')).out).toMatch(/^vor, version v\d+\.\d+\.\d+ \(node v/)
})

test('an unknown command is answered with the nearest one', async () => {
	expect(await vor('prboe')).toEqual({
		code: 1,
		out: '',
		err: 'error: unknown command "prboe", did you mean "probe"?\nfix: vor probe\n',
	})
	expect((await vor('--nonsense')).err).toContain('unknown flag "--nonsense"\nfix: vor --help')
})

test('an error of ours is a message and its fix, without a stack', async () => {
	expect(await vor('probe')).toEqual({
		code: 1,
		out: '',
		err: 'error: no such file: x.alloy\nfix: name a file that exists\n',
	})
})

test('a fault of ours shows where it happened', async () => {
	const { code, err } = await vor('probe', 'internal')
	expect(code).toBe(1)
	expect(err).toMatch(/^error: out of range\nRangeError: out of range\n {4}at /)
})

test('the exit code of a command is handed on, aliases and command help work', async () => {
	expect((await vor('pr', 'five')).code).toBe(5)
	expect(await vor('probe', '--help')).toMatchObject({ code: 0, out: 'Fails.\n\nvor probe\n' })
	expect((await vor('help', 'probe')).out).toBe('Fails.\n\nvor probe\n')
	expect((await vor('probe', '--', '--help')).code).toBe(1)
})

test.each(commands.map((entry) => entry.name))(
	'vor %s loads and is the command of that name',
	async (name) => {
		const command = await commands.find((entry) => entry.name === name)!.load()
		expect(command.name).toBe(name)
		expect(command.usage).toContain(`vor ${name}`)
	},
)

test.each(commands.map((entry) => entry.name))(
	'vor %s refuses a flag that it does not have, and names the way to those it has',
	async (name) => {
		const { code, out, err } = await run([name, '--nonsense'], commands)
		expect([code, out]).toEqual([1, ''])
		expect(err).toMatch(/nonsense/)
		// fmt and validate speak as Alloy does, byte for byte.
		if (name !== 'fmt' && name !== 'validate') expect(err).toContain(`fix: vor ${name} --help`)
	},
)

test('a value that a flag cannot have is told with the name of the flag', async () => {
	const { code, err } = await run(['run', '--log.level=loud', 'x.alloy'], commands)
	expect(code).toBe(1)
	expect(err).toContain('--log.level: must be one of')
})

test('a slip is recognised, another word is not', () => {
	expect(didYouMean('valdiate', ['run', 'validate'])).toBe('validate')
	expect(didYouMean('tpo', ['run', 'top'])).toBe('top')
	expect(didYouMean('launch', ['run', 'top', 'validate'])).toBeUndefined()
})
