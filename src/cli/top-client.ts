import type { TopSnapshot } from '../server/top-snapshot.ts'
import type { Instance } from './instance.ts'
import { askInstance, notVor } from './instance-request.ts'

/** One reading of `/api/v0/top`. */
export async function readTop(instance: Instance): Promise<TopSnapshot> {
	const text = await askInstance(instance, '/api/v0/top')
	try {
		const snapshot = JSON.parse(text) as TopSnapshot
		if (Array.isArray(snapshot.services)) return snapshot
	} catch {
		// falls through: whatever answered is not ours
	}
	throw notVor(instance)
}
