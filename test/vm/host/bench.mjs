// `vor bench` in the guests: the plan that fits emulation, and what of its results holds there.
import { table } from './report.mjs'

/**
 * What a guest is asked. By instructions every round gives nearly the same, so that a few short ones will do; few connections,
 * because each is touched before every round; no user space, which is the same on every kernel.
 */
export function benchArguments(surfaces) {
	return [
		'--quick',
		'--connections=16',
		'--pairs=4',
		'--round-ms=50',
		'--user-ms=0',
		'--load-maker=c',
		...(surfaces.length === 0 ? [] : [`--surface=${surfaces.join(',')}`]),
	]
}

/** What one boot found: { kernel, seconds, problems, result }; `result` is that of `vor bench --json`, or undefined. */
export function benchRow(kernel, boot) {
	const of = (kind) => boot.findings.find((finding) => finding.kind === kind)
	const result = of('bench')?.result
	const problems = []
	if (boot.problem !== '') problems.push(`${boot.problem}; the console's end:`, ...boot.console)
	const failed = of('failed')
	if (failed !== undefined) problems.push(failed.problem)
	else if (boot.problem === '' && result === undefined) problems.push('vor bench told nothing')
	return {
		kernel: { series: kernel.series, release: kernel.release, version: kernel.version },
		seconds: Math.round(boot.milliseconds / 100) / 10,
		problems,
		result,
	}
}

/**
 * The surfaces of one result that traced client and server, in the order of their letters:
 * { surface, title, programs, ratio, extra, calls, seen }. `programs` is the run time of the BPF programs for one
 * request and `ratio` that over the cheapest surface's; `extra` is all that client and server take more. What was not told
 * is undefined.
 */
export function compareSurfaces({ surfaces, cases }) {
	const letterOf = (name) => surfaces.find(({ surface }) => surface === name).letter
	const sides = cases[0].kernel.sides.filter(({ traced }) => traced === 'client and server')
	const sum = (side, field) =>
		side.programs.length === 0
			? undefined
			: side.programs.reduce((total, program) => total + program[field], 0)
	const times = sides.map((side) => sum(side, 'nsPerRequest')).filter((time) => time !== undefined)
	const cheapest = Math.min(...times)
	return sides
		.map((side) => {
			const programs = sum(side, 'nsPerRequest')
			return {
				surface: side.surface,
				title: `${letterOf(side.surface)} ${side.surface}`,
				programs,
				ratio: programs === undefined ? undefined : programs / cheapest,
				extra: side.toldFromZero ? side.extra.median : undefined,
				calls: sum(side, 'callsPerRequest'),
				seen: side.seenPerRequest,
			}
		})
		.sort((a, b) => (a.title < b.title ? -1 : 1))
}

const EMULATED = `Under emulation by instructions (\`qemu -accel tcg -icount shift=0\`): a guest's clock goes on by one
nanosecond with each instruction of its CPU, so that the nanoseconds of \`vor bench\` are instructions there, and a busy machine
does not change them. They are no times: a cache miss counts as much as an addition. Read the ratios between the surfaces of a
kernel, and the hook calls.`
const COLUMNS = ['kernel', 'surface', 'in programs', '× cheapest', 'with Vör', 'hook calls', 'seen']

export function benchReport(rows, { kvm }) {
	const lines = []
	const text = (value, write) => (value === undefined ? 'not told' : write(value))
	const grouped = (value) =>
		Math.round(value)
			.toString()
			.replace(/\B(?=(\d{3})+(?!\d))/g, ' ')
	for (const { kernel, result } of rows) {
		if (result === undefined) continue
		const { bare } = result.cases[0].kernel
		for (const { title, programs, ratio, extra, calls, seen } of compareSurfaces(result))
			lines.push([
				kernel.release,
				title,
				text(programs, grouped),
				text(ratio, (value) => value.toFixed(2)),
				text(
					extra,
					(value) => `${value < 0 ? '−' : '+'}${grouped(Math.abs(value))} of ${grouped(bare.median)}`,
				),
				text(calls, (value) => value.toFixed(2)),
				seen.toFixed(3),
			])
	}
	const parts = [
		kvm ? 'Under hardware virtualisation; times are nanoseconds.' : EMULATED,
		'',
		...commands(rows),
		'',
		table(COLUMNS, lines),
		'',
		...refusals(rows),
	]
	return parts.join('\n').trimEnd()
}

/** What was run; where guests were asked different things, which was asked what. */
function commands(rows) {
	const asked = new Map()
	for (const { kernel, result } of rows)
		if (result !== undefined)
			asked.set(result.command, [...(asked.get(result.command) ?? []), kernel.release])
	if (asked.size === 1) return [`In each guest: \`${[...asked.keys()][0]}\``]
	return [...asked].map(([command, releases]) => `* \`${command}\` in ${releases.join(', ')}`)
}

/** Each kernel's own words for the surfaces that it lacks. */
function refusals(rows) {
	const lines = []
	for (const { kernel, result } of rows)
		for (const { letter, surface, refusal } of result?.surfaces ?? [])
			if (refusal !== '') lines.push(`* ${kernel.release}, ${letter} ${surface}: ${refusal}`)
	return lines.length === 0 ? [] : ['Refused by the kernel, in these words:', '', ...lines]
}
