/** The text of a comment token without carriage returns (as Alloy keeps it). */
export function commentText(text: string): string {
	if (!text.includes('\r')) return text
	const body = text.endsWith('\r') ? text.slice(0, -1) : text
	if (!body.startsWith('/*')) return body.replaceAll('\r', '')
	// Between '*' and '/' one stays: without it the comment would end there. The '*' that opens the comment is not meant.
	return body.slice(0, 2) + body.slice(2).replace(/(\*)?\r+(?=(\/)?)/g, keepOne)
}

const keepOne = (_: string, star: string | undefined, slash: string | undefined): string =>
	star === undefined ? '' : slash === undefined ? star : '*\r'
