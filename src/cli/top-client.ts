import { formatHostPort, parseListenAddress } from '../server/listen-address.ts'
import type { TopSnapshot } from '../server/top-snapshot.ts'
import { VorError } from '../util/errors.ts'

export const defaultAddress = '127.0.0.1:12345'

/** Own answers are small; a stranger on the port is not read without end. */
const maxAnswerBytes = 16 * 1024 * 1024

/** The URL of a Vör that listens at `address`. Throws E_USAGE. */
export function addressOf(address: string): string {
	try {
		const { host, port } = parseListenAddress(address)
		return `http://${formatHostPort(host === '' || host === '0.0.0.0' ? '127.0.0.1' : host, port)}`
	} catch {
		throw new VorError('E_USAGE', `--address is ${JSON.stringify(address)}, expected HOST:PORT`, {
			fix: `--address=${defaultAddress}`,
		})
	}
}

/** One reading of `/api/v0/top`. */
export async function readTop(url: string): Promise<TopSnapshot> {
	const response = await fetch(`${url}/api/v0/top`, { signal: AbortSignal.timeout(10_000) }).catch(
		(reason: unknown) => {
			const cause = reason instanceof Error && reason.cause instanceof Error ? reason.cause.message : ''
			throw new VorError('E_FILE', `no Vör answers at ${url}${cause === '' ? '' : ` (${cause})`}`, {
				fix: 'start one with "vor run pipelines/local.alloy", or name its address: --address=HOST:PORT',
				cause: reason,
			})
		},
	)
	const text = await readBounded(response)
	if (!response.ok) throw notVor(url)
	try {
		const snapshot = JSON.parse(text) as TopSnapshot
		if (Array.isArray(snapshot.services)) return snapshot
	} catch {
		// falls through: whatever answered is not ours
	}
	throw notVor(url)
}

async function readBounded(response: Response): Promise<string> {
	const chunks: Uint8Array[] = []
	let length = 0
	for await (const chunk of response.body ?? []) {
		length += chunk.length
		if (length > maxAnswerBytes)
			throw new VorError('E_FILE', 'the answer is too long for a table of services')
		chunks.push(chunk)
	}
	return Buffer.concat(chunks).toString('utf8')
}

function notVor(url: string): VorError {
	return new VorError('E_FILE', `what listens at ${url} is not Vör`, {
		fix: 'name the address of a running Vör: --address=HOST:PORT',
	})
}
