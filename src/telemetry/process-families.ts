import { readdirSync, readFileSync } from 'node:fs'
import { version } from '../util/version.ts'
import { type MetricFamily, single } from './metric-family.ts'

/** The process as /proc shows it: the usual `process_*` names, and Alloy's `alloy_resources_*` beside them. */
export function processFamilies(): MetricFamily[] {
	const families: MetricFamily[] = [
		single('vor_build_info', 'gauge', 'Version of Vör and of Node.js; the value is 1.', 1, [
			['version', version()],
			['node_version', process.versions.node],
		]),
	]
	const usage = process.cpuUsage()
	const cpuSeconds = (usage.user + usage.system) / 1e6
	const memory = pages()
	const startSeconds = Math.round(performance.timeOrigin / 10) / 100
	families.push(
		single(
			'process_cpu_seconds_total',
			'counter',
			'Total user and system CPU time spent in seconds.',
			cpuSeconds,
		),
		single(
			'process_start_time_seconds',
			'gauge',
			'Start time of the process since unix epoch in seconds.',
			startSeconds,
		),
		single(
			'alloy_resources_process_cpu_seconds_total',
			'counter',
			'Total user and system CPU time spent in seconds.',
			cpuSeconds,
		),
		single(
			'alloy_resources_process_start_time_seconds',
			'gauge',
			'Start time of the process since unix epoch in seconds.',
			startSeconds,
		),
	)
	for (const prefix of ['process', 'alloy_resources_process']) {
		if (memory === undefined) break
		families.push(
			single(`${prefix}_resident_memory_bytes`, 'gauge', 'Resident memory size in bytes.', memory.resident),
			single(`${prefix}_virtual_memory_bytes`, 'gauge', 'Virtual memory size in bytes.', memory.virtual),
		)
	}
	const openFds = attempt(() => readdirSync('/proc/self/fd').length)
	if (openFds !== undefined)
		families.push(single('process_open_fds', 'gauge', 'Number of open file descriptors.', openFds))
	const maxFds = limit('Max open files')
	if (maxFds !== undefined)
		families.push(single('process_max_fds', 'gauge', 'Maximum number of open file descriptors.', maxFds))
	const maxVirtual = limit('Max address space')
	if (maxVirtual !== undefined)
		families.push(
			single(
				'process_virtual_memory_max_bytes',
				'gauge',
				'Maximum amount of virtual memory available in bytes.',
				maxVirtual,
			),
		)
	const network = networkBytes()
	if (network !== undefined) {
		families.push(
			single(
				'process_network_receive_bytes_total',
				'counter',
				'Number of bytes received by the process over the network.',
				network.received,
			),
			single(
				'process_network_transmit_bytes_total',
				'counter',
				'Number of bytes sent by the process over the network.',
				network.sent,
			),
			single(
				'alloy_resources_machine_rx_bytes_total',
				'counter',
				'Total bytes, host-wide, received across all network interfaces.',
				network.received,
			),
			single(
				'alloy_resources_machine_tx_bytes_total',
				'counter',
				'Total bytes, host-wide, sent across all given network interface.',
				network.sent,
			),
		)
	}
	return families
}

/** A reading that /proc refuses is left out of the exposition; nothing is made up in its place. */
function attempt<T>(read: () => T): T | undefined {
	try {
		return read()
	} catch {
		return undefined
	}
}

function pages(): { virtual: number; resident: number } | undefined {
	return attempt(() => {
		const status = readFileSync('/proc/self/status', 'utf8')
		const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
		const virtual = kibibytes('VmSize') * 1024
		const resident = kibibytes('VmRSS') * 1024
		if (Number.isNaN(virtual) || Number.isNaN(resident)) throw new TypeError('no sizes in /proc/self/status')
		return { virtual, resident }
	})
}

/** The soft limit; +Inf when there is none, as Go's collector says 2^64 - 1. */
function limit(name: string): number | undefined {
	return attempt(() => {
		const line = readFileSync('/proc/self/limits', 'utf8')
			.split('\n')
			.find((text) => text.startsWith(name))
		const word = line?.slice(name.length).trim().split(/\s+/)[0]
		return word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word)
	})
}

function networkBytes(): { received: number; sent: number } | undefined {
	return attempt(() => {
		let received = 0
		let sent = 0
		for (const line of readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2)) {
			const fields = line
				.slice(line.indexOf(':') + 1)
				.trim()
				.split(/\s+/)
			if (fields.length < 9) continue
			received += Number(fields[0])
			sent += Number(fields[8])
		}
		return { received, sent }
	})
}
