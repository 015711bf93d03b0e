import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measure } from '../bench/measure.ts'
import { createProgress } from '../bench/progress.ts'
import { replaceTables } from '../bench/report-docs.ts'
import { renderHtml } from '../bench/report-html.ts'
import { renderText } from '../bench/report-text.ts'
import { VorError } from '../util/errors.ts'
import { benchOptions, commandOf, settingsOf } from './bench-settings.ts'
import type { CliCommand } from './command.ts'

export const command: CliCommand = {
	name: 'bench',
	summary: 'Measure what Vör costs on this machine.',
	usage: `Usage:
  vor bench [--quick] [--surface=A,D] [--json=FILE|-] [--html=FILE]

  --quick        only the basic case, with fewer rounds: half a minute, not four minutes
  --surface      attach surfaces by letter or name: A tp_btf, B fexit, C kprobe, D syscall. The first is measured in all
                 cases, the others beside it in the basic one. Default: all that this kernel allows
  --json=FILE    everything as JSON; - prints it instead of the tables
  --html=FILE    a page with plots, which needs no network
  --docs=FILE    puts the tables between the two marks of a Markdown page

What is measured; the first of each list is that of the basic case, every other is a case with this one thing changed:
  --sizes=1KiB,0,64KiB        bodies of the responses
  --rates=max,1000,10000      requests a second
  --connections=100,1,10000   keep-alive connections
  --processes=1,100,1000      servers
  --pairs=20 --round-ms=200   rounds with nothing and with Vör attached, and how long each is
  --user-ms=3000              how long user space is measured; 0 leaves it out: only the kernel
  --load-maker=auto           c (of the build) or node

Needs what "vor run" needs: root, or the capabilities that "vor check" names. It makes requests on loopback only, from
one process of its own to others, and leaves nothing behind. docs/bench.md tells how to read the tables.`,
	async run(argv, io) {
		const { values, positionals } = parseArgs({
			args: [...argv],
			options: benchOptions,
			allowPositionals: true,
		})
		if (positionals.length > 0)
			throw new VorError('E_USAGE', `vor bench takes no ${JSON.stringify(positionals[0])}`, {
				fix: 'vor bench --help lists the flags',
			})
		const settings = settingsOf(values)
		const { json, html, docs } = values
		for (const path of [json === '-' ? undefined : json, html, docs])
			if (path !== undefined) checkWritable(path)
		if (docs !== undefined) replaceTables(docs, undefined)
		const ending = abortOnSignal()
		const { stderr } = io
		try {
			const result = await measure({
				settings,
				command: commandOf(values),
				signal: ending.signal,
				progress: (totalMs) =>
					createProgress({
						write: (text) => void stderr.write(text),
						inPlace: (stderr as Partial<NodeJS.WriteStream>).isTTY === true,
						totalMs,
					}),
			})
			const text = `${JSON.stringify(result, null, '\t')}\n`
			// First where nothing can go wrong any more: minutes of measuring are in it.
			io.stdout.write(json === '-' ? text : renderText(result))
			if (json !== undefined && json !== '-') writeFileSync(json, text)
			if (html !== undefined) writeFileSync(html, renderHtml(result))
			if (docs !== undefined) replaceTables(docs, result)
			return 0
		} catch (reason) {
			if (!ending.signal.aborted) throw reason
			stderr.write('stopped; nothing is left attached\n')
			return 1
		} finally {
			ending.forget()
		}
	},
}

/** Told now, not after minutes of measuring. */
function checkWritable(path: string): void {
	try {
		if (path === '' || path === '-') throw new Error('it is no name of a file')
		const there = statSync(path, { throwIfNoEntry: false })
		if (there?.isDirectory() === true) throw new Error('it is a folder')
		accessSync(there === undefined ? dirname(resolve(path)) : path, constants.W_OK)
	} catch (reason) {
		throw new VorError('E_FILE', `cannot write ${path === '' ? '""' : path}: ${(reason as Error).message}`, {
			fix: 'name a file in a folder that exists and can be written',
		})
	}
}

/** The first SIGINT or SIGTERM ends the measurement in order; a second one the process. */
function abortOnSignal(): { readonly signal: AbortSignal; forget(): void } {
	const controller = new AbortController()
	const onSignal = (): void => {
		if (controller.signal.aborted) process.exit(1)
		controller.abort()
	}
	process.on('SIGINT', onSignal)
	process.on('SIGTERM', onSignal)
	return {
		signal: controller.signal,
		forget() {
			process.off('SIGINT', onSignal)
			process.off('SIGTERM', onSignal)
		},
	}
}
