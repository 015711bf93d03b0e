import { createHash } from 'node:crypto'

/** Namespace that the semantic conventions give for `service.instance.id`. */
const SERVICE_INSTANCE_NAMESPACE = Buffer.from('4d63009a8d0f11eeaad74c796ed8e320', 'hex')

/** RFC 9562 version 5 in that namespace: the same text always gives the same id. */
export function instanceUuid(text: string): string {
	const bytes = createHash('sha1').update(SERVICE_INSTANCE_NAMESPACE).update(text).digest().subarray(0, 16)
	bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
	bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
	const hex = bytes.toString('hex')
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
