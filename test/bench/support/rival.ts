import { mkdirSync } from 'node:fs'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BpfLink, type BpfObject, openObject } from 'bpf-native-loader'
import { run } from '../../e2e/support/process.ts'

const here = fileURLToPath(new URL('../rival/', import.meta.url))

/** The classic way: a pair of syscall tracepoints on each of eight calls. See rival/syscalls.bpf.c. */
export interface Rival {
	attach(): Promise<BpfLink[]>
	/** Throws away what it sent. */
	drain(): void
	/** Per program. */
	statistics(): { readonly program: string; readonly runCount: number; readonly runTimeNs: number }[]
	close(): void
}

export async function loadRival(): Promise<Rival> {
	const object = openObject(await compileBpf('syscalls'))
	await object.load()
	const ring = object.map('ring').ring()
	const into = new Uint8Array(1 << 20)
	return {
		attach: () =>
			Promise.all(
				object.programs.map(({ name, section }) =>
					object.program(name).attachTracepoint('syscalls', section.split('/')[2] as string),
				),
			),
		drain() {
			do ring.drain(into)
			while (ring.more)
		},
		statistics: () => object.programs.map(({ name }) => ({ program: name, ...object.program(name).stats() })),
		close: () => object.close(),
	}
}

/** A loaded program that does nothing, for one of our hooks. */
export async function loadEmpty(): Promise<BpfObject> {
	const object = openObject(await compileBpf('empty'))
	await object.load()
	return object
}

/** The binary of rival/micro.c. */
export const buildMicro = (): Promise<string> => compile('gcc', ['-O2', '-D_GNU_SOURCE'], 'micro.c', 'micro')

function compileBpf(name: string): Promise<string> {
	const triple = arch() === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
	const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', `-I/usr/include/${triple}`, '-c']
	return compile('clang', flags, `${name}.bpf.c`, `${name}.bpf.o`)
}

async function compile(
	compiler: string,
	args: readonly string[],
	source: string,
	out: string,
): Promise<string> {
	const folder = join(tmpdir(), `vor-bench-${process.getuid?.() ?? 0}`)
	mkdirSync(folder, { recursive: true })
	const path = join(folder, out)
	const result = await run(compiler, [...args, '-o', path, join(here, source)])
	if (result.code !== 0) throw new Error(`${compiler} failed for ${source}:\n${result.stderr}`)
	return path
}
