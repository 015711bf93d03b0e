import type { CliCommand } from './command.ts'

/** One line of `vor --help`; `load` keeps a command's modules out of the start-up of the others. */
export interface CommandEntry {
	readonly name: string
	readonly aliases?: readonly string[]
	readonly summary: string
	load(): Promise<CliCommand>
}

export const commands: readonly CommandEntry[] = [
	{
		name: 'run',
		summary: 'Run a pipeline file: instrument, aggregate, export',
		load: async () => (await import('./run.ts')).command,
	},
	{
		name: 'validate',
		summary: 'Check a pipeline file without running it',
		load: async () => (await import('./validate.ts')).command,
	},
	{
		name: 'fmt',
		aliases: ['format'],
		summary: 'Format a pipeline file as Alloy does',
		load: async () => (await import('./fmt.ts')).command,
	},
	{
		name: 'check',
		summary: 'Say what this machine and kernel allow, and how to mend what is missing',
		load: async () => (await import('./check.ts')).command,
	},
	{
		name: 'ps',
		summary: 'List processes: language, ports, service name, selected or why not',
		load: async () => (await import('./ps.ts')).command,
	},
	{
		name: 'top',
		summary: 'Show a live table of the services a running Vör sees',
		load: async () => (await import('./top.ts')).command,
	},
	{
		name: 'record',
		summary: 'Store what the kernel delivers in a file',
		load: async () => (await import('./record.ts')).command,
	},
	{
		name: 'replay',
		summary: 'Run a pipeline on a recording, without root',
		load: async () => (await import('./replay.ts')).command,
	},
	{
		name: 'graph',
		summary: 'Print the dataflow of a pipeline file',
		load: async () => (await import('./graph.ts')).command,
	},
	{
		name: 'lsp',
		summary: 'Serve an editor: diagnostics, completion, documentation, formatting',
		load: async () => (await import('./lsp.ts')).command,
	},
	{
		name: 'bench',
		summary: 'Measure what Vör costs on this machine',
		load: async () => (await import('./bench.ts')).command,
	},
	{
		name: 'tools',
		summary: 'Small helpers for operators',
		load: async () => (await import('./tools.ts')).command,
	},
]
