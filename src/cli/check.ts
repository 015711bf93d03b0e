import { parseArgs } from 'node:util'
import { type Preflight, preflight } from '../capture/preflight.ts'
import { surfaceTitle } from '../capture/preflight-surfaces.ts'
import type { CliCommand } from './command.ts'

export const command: CliCommand = {
	name: 'check',
	summary: 'Say whether Vör can run here, and what it would see.',
	usage: `Usage:
  vor check [--json]

  --json  print the findings as JSON

Looks at the kernel, its hooks, privileges and namespaces, loads the real programs and lets go of them again.
Exit code 1 when Vör cannot run; each problem stands with what mends it.`,
	async run(argv, io) {
		const { values } = parseArgs({
			args: [...argv],
			options: { json: { type: 'boolean', default: false } },
		})
		const findings = await preflight()
		io.stdout.write(values.json ? `${JSON.stringify(findings, null, 2)}\n` : render(findings))
		return findings.ok ? 0 : 1
	},
}

const MEANING =
	'seen: heads and bodies. bytes only: heads by read and write with bodies over this path. not seen: absent, never wrong.'

const MARKS = { ok: 'ok  ', info: 'info', warn: 'WARN', fail: 'FAIL' } as const

export function render(findings: Preflight): string {
	const width = Math.max(...findings.items.map((item) => item.name.length))
	const lines: string[] = []
	for (const item of findings.items) {
		lines.push(`${MARKS[item.status]}  ${item.name.padEnd(width)}  ${item.detail}`)
		if (item.fix !== '' && item.status !== 'ok') lines.push(`${' '.repeat(width + 8)}fix: ${item.fix}`)
	}
	lines.push('')
	if (findings.surface !== '') {
		const title = surfaceTitle(findings.surface)
		const where = findings.storage === 'socket' ? 'on the sockets' : 'in a hash table'
		lines.push(`What ${title} sees of HTTP/1 on each path of the bytes (connection state ${where}):`)
		const paths = Math.max(...findings.view.map((row) => row.path.length))
		for (const row of findings.view) {
			lines.push(`  ${row.path.padEnd(paths)}  ${row.seen.padEnd(10)}  ${row.note}`.trimEnd())
		}
		lines.push('', MEANING, '')
	}
	lines.push(findings.ok ? 'Vör can run here.' : 'Vör cannot run here: see FAIL above.')
	return `${lines.join('\n')}\n`
}
