import { existsSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root, run, ScriptError, say, timed } from './report.mjs'
import { digestOf, filesUnder, isStamped, stamp } from './stamp.mjs'

const jobs = `-j${availableParallelism()}`

/** What the build is made of, in order. A step runs only when its inputs changed or an output is gone. */
const steps = [
	{
		name: 'proto',
		what: 'OTLP and recording messages from proto/',
		inputs: ['proto', 'buf.yaml'],
		outputs: ['src/gen'],
		command: ['buf', 'generate', '--template', 'proto/buf.gen.yaml'],
	},
	{
		name: 'bpf',
		what: 'eBPF programs',
		inputs: ['bpf'],
		outputs: ['bpf/.output'],
		command: ['make', '-s', jobs, '-C', 'bpf'],
	},
	{
		name: 'native',
		what: 'addon over libbpf',
		inputs: ['native/src', 'native/Makefile', 'native/package.json'],
		outputs: ['native/build'],
		command: ['make', '-s', jobs, '-C', 'native'],
	},
	{
		name: 'layout',
		what: "record layout from the objects' BTF",
		inputs: ['bpf', 'native/src', 'native/lib', 'scripts/gen-layout.mjs'],
		outputs: ['src/capture/layout.gen.ts'],
		command: ['node', 'scripts/gen-layout.mjs'],
	},
	{
		name: 'ts',
		what: 'TypeScript',
		inputs: ['src', 'proto', 'bpf', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
		outputs: ['dist/main.js'],
		command: ['tsc', '-p', 'tsconfig.build.json'],
		before: () => pruneDist(),
	},
	{
		name: 'bundle',
		what: 'start-up bundle',
		inputs: [
			'src',
			'proto',
			'bpf',
			'tsconfig.json',
			'tsconfig.build.json',
			'scripts/bundle.mjs',
			'scripts/lib/code-cache.mjs',
			'package-lock.json',
		],
		outputs: ['dist/main.js', 'dist/bundle/worker.js'],
		command: ['node', 'scripts/bundle.mjs'],
	},
	{
		name: 'bench-load',
		what: 'load maker of vor bench',
		inputs: ['src/bench/load.c'],
		outputs: ['dist/bench/load'],
		command: ['cc', '-O2', '-Wall', '-D_GNU_SOURCE', '-o', 'dist/bench/load', 'src/bench/load.c'],
		without: 'vor bench makes its load with Node.js',
	},
]

/** Builds what changed; `force` builds all. */
export async function build({ force = false } = {}) {
	for (const step of steps) {
		const digest = digestOf(filesUnder(step.inputs), `${process.arch} ${step.command.join(' ')}`)
		const done = step.outputs.every((path) => existsSync(join(root, path)))
		if (!force && done && isStamped(step.name, digest)) continue
		step.before?.()
		const [program, ...args] = step.command
		const work = () => run(program, args, { fix: `npx -c "${step.command.join(' ')}"` })
		try {
			await timed(`built ${step.what}`, work)
		} catch (error) {
			if (step.without === undefined || !(error instanceof ScriptError)) throw error
			say(`  not built: ${step.what} (${error.message.split('\n')[0]}); ${step.without}`)
			continue
		}
		const absent = step.outputs.filter((path) => !existsSync(join(root, path)))
		if (absent.length > 0)
			throw new ScriptError(`${step.command.join(' ')} did not make ${absent.join(', ')}`)
		stamp(step.name, digest)
	}
}

/** tsc never deletes: what has no source any more would stay and be shipped. */
function pruneDist(folder = 'dist', source = 'src') {
	if (!existsSync(join(root, folder))) return
	for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
		const path = join(folder, entry.name)
		if (path === 'dist/bundle') continue
		if (entry.isDirectory()) pruneDist(path, join(source, entry.name))
		else if (
			entry.name.endsWith('.js') &&
			!existsSync(join(root, source, entry.name.replace(/\.js$/, '.ts')))
		) {
			rmSync(join(root, path))
			say(`  removed ${path}, which has no source any more`)
		}
	}
}
