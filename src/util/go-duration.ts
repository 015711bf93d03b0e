/** As Go prints a duration: `1.5ms`. */
export function goDuration(ms: number): string {
	const trim = (value: number): string => String(Number(value.toFixed(6)))
	if (ms < 1) return `${trim(ms * 1000)}µs`
	return ms < 1000 ? `${trim(ms)}ms` : `${trim(ms / 1000)}s`
}
