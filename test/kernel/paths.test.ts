import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/capture/paths.ts'
import { type SurfaceView, surfaceView } from '../../src/capture/surface-view.ts'

/** The runner of the kernel matrix (test/vm), on this kernel: every way that bytes take, as `vor check` tells it. */
const folder = mkdtempSync(join(tmpdir(), 'vor-paths-'))
const guest = join(packageRoot(), 'test/vm/guest')

beforeAll(() => {
	const program = join(folder, 'mix')
	execFileSync('gcc', ['-O2', '-o', program, join(guest, 'mix.c'), join(guest, 'io.c')])
	for (const role of ['client', 'server', 'upstream']) copyFileSync(program, join(folder, `mix-${role}`))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Finding {
	readonly kind: string
	readonly refused?: { readonly message: string }
	readonly problems?: readonly string[]
	readonly cells?: readonly Cell[]
}
interface Cell {
	readonly family: string
	readonly way: string
	readonly result: string
	readonly problems: readonly string[]
}

const WAYS = ['write', 'writev', 'send', 'sendmsg', 'sendmmsg']
const PATHS = ['sendfile', 'splice-in', 'splice-out', 'io_uring', 'ktls']

function measure(surface: string, storage: string, object: string): Finding {
	const path = join(folder, `${object}.json`)
	const request = {
		surfaces: [{ surface, storage, object }],
		families: ['tcp4', 'unix'],
		ways: [...WAYS, ...PATHS],
		node: false,
		patienceMs: 20_000,
	}
	writeFileSync(path, JSON.stringify(request))
	const { stdout } = spawnSync(process.execPath, [join(guest, 'main.mjs'), path], {
		encoding: 'utf8',
		env: { ...process.env, VOR_MIX_FOLDER: folder },
		timeout: 300_000,
	})
	const findings = stdout
		.split('\n')
		.filter((line) => line.startsWith('@vor '))
		.map((line) => JSON.parse(line.slice(5)) as Finding)
	const mix = findings.find(({ kind }) => kind === 'mix')
	if (mix === undefined) throw new Error(`no result: ${JSON.stringify(findings.at(-1))}`)
	return mix
}

function promised(view: readonly SurfaceView[], { family, way }: Cell): string | undefined {
	const kind = family === 'unix' ? 'unix' : 'tcp'
	const row = view.find((each) => each.ways.includes(way) && each.families.includes(kind))
	return row?.seen
}

test.each([
	['tp_btf', 'socket', 'sock'],
	['tp_btf', 'hash', 'sock_hash'],
	['syscall', 'auto', 'sock_syscall'],
])(
	'surface %s, state in the %s: each path is seen as vor check says, and nothing is told wrong',
	{ timeout: 330_000 },
	(surface, storage, object) => {
		const { cells = [], problems } = measure(surface, storage, object)
		expect(problems).toEqual([])
		expect(cells.map(({ way, family }) => `${family} ${way}`)).toHaveLength(2 * (WAYS.length + PATHS.length))
		const view = surfaceView(surface, object)
		for (const cell of cells) {
			// A kernel may lack io_uring or kernel TLS (a module); the client then says which error it got.
			if (cell.result === 'not here') {
				console.log(`${cell.family} ${cell.way} is not here: ${cell.problems.join(' ')}`)
				expect(cell.way).toMatch(/^(io_uring|ktls)$/)
				continue
			}
			expect(cell.result, `${cell.family} ${cell.way}: ${cell.problems.join('; ')}`).toBe(
				promised(view, cell),
			)
		}
	},
)
