/** What a log field may hold; errors are written as their message. */
export type LogValue = string | number | boolean | null | undefined | Error | readonly string[]
export type LogFields = Readonly<Record<string, LogValue>>

/** `key=value` as Alloy (go-logfmt) writes it: quoted only where a space, `=`, `"` or a control character asks for it. */
export function logfmtPair(key: string, value: LogValue): string {
	return `${logfmtKey(key)}=${logfmtValue(value)}`
}

function logfmtKey(key: string): string {
	return key.replace(/[\s="\u0000-\u001f]/g, '_')
}

function logfmtValue(value: LogValue): string {
	if (value === null || value === undefined) return 'null'
	if (typeof value === 'number' || typeof value === 'boolean') return String(value)
	if (value instanceof Error) return quoteWhereNeeded(value.message)
	if (typeof value === 'object') return quoteWhereNeeded(`[${value.join(' ')}]`)
	return quoteWhereNeeded(String(value))
}

const needsQuotes = /[\s="\u0000-\u001f\u007f\ufffd]/

function quoteWhereNeeded(text: string): string {
	return text === '' ? '""' : needsQuotes.test(text) ? JSON.stringify(text) : text
}
