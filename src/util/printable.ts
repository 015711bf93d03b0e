/** Names come from other programs: control characters would move the cursor of a terminal. */
export function printable(text: string): string {
	return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '?')
}
