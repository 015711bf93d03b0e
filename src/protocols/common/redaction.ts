/** Query parameters whose values the semantic conventions redact by default. Case-sensitive. */
const SENSITIVE = new Set([
	'X-Amz-Signature',
	'X-Amz-Credential',
	'X-Amz-Security-Token',
	'AWSAccessKeyId',
	'Signature',
	'sig',
	'X-Goog-Signature',
])

/** `name` as it stands in the query; percent-encoding does not hide it. */
export function isSensitiveParameter(name: string): boolean {
	if (SENSITIVE.has(name)) return true
	if (!name.includes('%')) return false
	try {
		return SENSITIVE.has(decodeURIComponent(name))
	} catch {
		// Not percent-encoding after all: the name is what it is, and that was looked up above.
		return false
	}
}
