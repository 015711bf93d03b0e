import { readdirSync, readFileSync } from 'node:fs'
import { listPrograms } from 'bpf-native-loader'

/** Ids of the BPF programs that a process holds; none when it is gone. */
export function programsOf(pid: number): number[] {
	try {
		const ids = readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
			const id = /^prog_id:\s*(\d+)/m.exec(readOr(`/proc/${pid}/fdinfo/${fd}`))
			return id === null ? [] : [Number(id[1])]
		})
		// A link's descriptor names its program too.
		return [...new Set(ids)]
	} catch {
		return []
	}
}

/** Those of `ids` that the kernel still lists. */
export const stillLoaded = (ids: readonly number[]) => listPrograms().filter(({ id }) => ids.includes(id))

/** A descriptor may be closed between the listing and the look. */
function readOr(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		return ''
	}
}
