import { say } from './report.mjs'

/** Without a request for this long the hint is given. */
const patienceMs = 10_000
const plainEveryMs = 10_000

/**
 * Asks the running Vör what it sees. `ready` resolves when it answers; with `plain` a line a service is printed every ten
 * seconds, and a hint when nothing on the host speaks HTTP.
 */
export function watchTop(address, { plain, demo }) {
	const url = `http://${address.startsWith(':') ? `127.0.0.1${address}` : address.replace(/^0\.0\.0\.0:/, '127.0.0.1:')}`
	let stopped = false
	let timer
	const get = async (path) => {
		const response = await fetch(url + path, { signal: AbortSignal.timeout(2000) }).catch(() => undefined)
		return response?.ok ? response : undefined
	}
	const ready = new Promise((resolve) => {
		const poll = async () => {
			if (stopped) return
			if ((await get('/-/ready')) !== undefined) resolve()
			else timer = setTimeout(poll, 100)
		}
		void poll()
	})
	void ready.then(() => {
		if (!plain || stopped) return
		const since = performance.now()
		let hinted = demo
		const look = async () => {
			if (stopped) return
			const snapshot = await (await get('/api/v0/top'))?.json().catch(() => undefined)
			const services = snapshot?.services ?? []
			for (const service of services) say(plainLine(service))
			if (
				services.length === 0 &&
				!hinted &&
				snapshot !== undefined &&
				performance.now() - since >= patienceMs - 500
			) {
				hinted = true
				say('No program on this host has spoken HTTP yet. "npm start -- --demo" also starts three that do.')
			}
			timer = setTimeout(look, plainEveryMs)
		}
		timer = setTimeout(look, plainEveryMs)
	})
	return {
		ready,
		stop() {
			stopped = true
			clearTimeout(timer)
		},
	}
}

const signs = { at: '', below: '<', above: '>' }

function plainLine(service) {
	const parts = [service.namespace === '' ? service.service : `${service.namespace}/${service.service}`]
	for (const direction of ['in', 'out']) {
		const side = service[direction]
		if (side === null) continue
		const p99 =
			side.p99 === null ? '' : `, p99 ${signs[side.p99.place]}${(side.p99.seconds * 1000).toFixed(1)} ms`
		parts.push(
			`${direction} ${side.requestsPerSecond.toFixed(1)} req/s, ${(side.errorRatio * 100).toFixed(1)} % errors${p99}`,
		)
	}
	for (const { protocol, connections } of service.unreadable) {
		parts.push(`not readable: ${protocol}, ${connections} connections`)
	}
	return parts.join(' | ').replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?')
}
