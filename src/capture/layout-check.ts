import { createHash } from 'node:crypto'
import type { BpfObject } from 'bpf-native-loader'
import { VorError } from '../util/errors.ts'
import { HEADER, LAYOUT_HASH, layoutText } from './layout.ts'

/** Refuses an object whose records are not those that this code was built for. */
export function checkLayout(object: BpfObject, path: string): void {
	const btf = object.btf()
	const hash = createHash('sha256').update(layoutText(btf)).digest('hex').slice(0, LAYOUT_HASH.length)
	const header = btf.structs.find((struct) => struct.name === 'vor_record_header')
	const offset = (name: string): number | undefined =>
		header?.members.find((member) => member.name === name)?.offset
	const sameHeader =
		header?.size === HEADER.bytes && offset('kind') === HEADER.kindAt && offset('size') === HEADER.sizeAt
	if (hash === LAYOUT_HASH && sameHeader) return
	throw new VorError('E_LAYOUT', `${path} has record layout ${hash}, this Vör was built for ${LAYOUT_HASH}`, {
		fix: 'npm run build',
	})
}
