// What one boot found, as the row of the matrix.
import { SURFACES } from './surfaces.mjs'

/**
 * { kernel, seconds, problems, check, cells }. A cell's `state`:
 *   works     loaded, attached, every span as it was sent
 *   refused   the kernel said no: empty cell with its message
 *   verifier  the kernel has what is needed and its verifier refuses the program: our fault, red
 *   failed    it runs and something is wrong: red
 *   loads     the object loads; this build cannot run on it yet
 *   absent    this build has no such surface
 */
export function judgeBoot(kernel, boot, asked = SURFACES) {
	const of = (kind) => boot.findings.filter((finding) => finding.kind === kind)
	const cells = SURFACES.map(({ surface, storage, title }) => {
		const all = (kind) => of(kind).filter((each) => each.surface === surface && each.storage === storage)
		const own = (kind) => all(kind)[0]
		const skipped = !asked.some((each) => each.surface === surface && each.storage === storage)
		const cell = skipped
			? { state: 'skipped', problems: [] }
			: judgeCell(own('load'), all('mix'), own('refused') ?? own('broken'))
		return { surface, storage, title, ...cell }
	})
	const problems = boot.problem === '' ? [] : [`${boot.problem}; the console's end:`, ...boot.console]
	const check = of('check')[0]
	if (check?.ok === false && cells.some(({ state }) => state === 'works')) {
		const failed = check.items?.filter(({ status }) => status === 'fail') ?? []
		const why = failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ') || check.error?.message
		problems.push(`vor check says that Vör cannot run where it does: ${why}`)
	}
	return {
		kernel: { series: kernel.series, release: kernel.release, version: kernel.version },
		seconds: Math.round(boot.milliseconds / 100) / 10,
		problems,
		check,
		cells,
	}
}

function judgeCell(load, mixes, failure) {
	const [mix] = mixes
	if (load === undefined) return { state: 'failed', problems: ['the guest ended before it'] }
	if (load.absent !== undefined) return { state: 'absent', message: load.absent, problems: [] }
	if (load.raw !== undefined) {
		const { programs, refusals } = load.raw
		const problems = refusals.flatMap((each) => refusal(each).problems)
		const [first] = refusals
		if (first === undefined) return { state: 'loads', programs, missingHooks: [], problems }
		return {
			...refusal(first),
			programs: programs.length === 0 ? undefined : programs,
			missingHooks: [],
			problems,
		}
	}
	if (load.refused !== undefined) return refusal(load.refused)
	const { programs, missingHooks } = load.loaded
	const loaded = { programs, missingHooks, usedStorage: load.loaded.storage }
	if (failure?.kind === 'refused') return { ...loaded, ...refusal(failure.refused) }
	if (failure !== undefined)
		return { ...loaded, state: 'failed', problems: [failure.stack ?? failure.refused.message] }
	if (mix === undefined)
		return { ...loaded, state: 'failed', problems: ['the guest ended before the requests'] }
	const problems = mixes.flatMap((each, round) => {
		const label = mixes.length > 1 ? `round ${round + 1}: ` : ''
		return problemsOf(each).map((text) => label + text)
	})
	return {
		...loaded,
		state: problems.length === 0 ? 'works' : 'failed',
		problems,
		paths: mix.cells,
		node: mix.node?.result,
		counters: mix.capture.counters,
		recursionMisses: mix.capture.recursionMisses,
		rounds: mixes.length,
	}
}

function problemsOf({ problems: found, cells, node }) {
	const problems = [...found]
	for (const { family, way, result, problems: own } of cells)
		if (result === 'wrong') problems.push(...own.map((text) => `${family} ${way}: ${text}`))
	if (node !== undefined && node.result !== 'seen')
		problems.push(...node.problems.map((text) => `Node: ${text}`))
	return problems
}

function refusal({ code, errno, program, message, log, stack }) {
	if (log !== '' && program !== '')
		return {
			state: 'verifier',
			message,
			problems: [`${program} (${errno}): ${message}`, ...log.split('\n').slice(-8)],
		}
	const byKernel = errno !== '' || ['E_KERNEL', 'E_PRIVILEGE'].includes(code)
	return { state: byKernel ? 'refused' : 'failed', message, problems: byKernel ? [] : [stack || message] }
}

/** Kernels and cells that must not be so, one line each. */
export function redLines(rows) {
	const lines = []
	for (const { kernel, problems, cells } of rows) {
		if (problems.length > 0) lines.push(`${kernel.release}: ${problems.join('\n    ')}`)
		for (const cell of cells)
			if (cell.problems.length > 0)
				lines.push(`${kernel.release}, ${cell.title}, ${cell.state}:\n    ${cell.problems.join('\n    ')}`)
	}
	return lines
}
