import { readFileSync } from 'node:fs'
import { arch, hostname } from 'node:os'

/** What a resource says of the machine; read once. A replay takes the recording machine's. */
export interface HostFact {
	readonly name: string
	/** machine-id, '' when there is none. */
	readonly id: string
	/** Semantic conventions' names: amd64, arm64 … */
	readonly arch: string
	readonly bootId: string
	/** User name of a uid, '' when not known here (it may be one of a container). */
	userName(uid: number): string
	/** All of them, for a recording. */
	readonly users?: ReadonlyMap<number, string>
}

export function readHost(): HostFact {
	const users = parsePasswd(text('/etc/passwd'))
	return {
		name: hostname(),
		id: text('/etc/machine-id').trim() || text('/var/lib/dbus/machine-id').trim(),
		arch: ARCHITECTURES[arch()] ?? arch(),
		bootId: text('/proc/sys/kernel/random/boot_id').trim(),
		userName: (uid) => users.get(uid) ?? '',
		users,
	}
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
	x64: 'amd64',
	arm64: 'arm64',
	ia32: 'x86',
	arm: 'arm32',
}

/** For the header of a recording, and back. */
export function hostToRecord(host: HostFact): Record<string, string> {
	const record: Record<string, string> = {
		'host.name': host.name,
		'host.id': host.id,
		'host.arch': host.arch,
		'boot.id': host.bootId,
	}
	for (const [uid, name] of host.users ?? []) record[`${USER}${uid}`] = name
	return record
}

/** Before a uid, in a recording. */
const USER = 'user.'

export function hostFromRecord(record: Readonly<Record<string, string>>): HostFact {
	const users = new Map<number, string>()
	for (const [key, name] of Object.entries(record)) {
		if (key.startsWith(USER)) users.set(Number(key.slice(USER.length)), name)
	}
	return {
		name: record['host.name'] ?? '',
		id: record['host.id'] ?? '',
		arch: record['host.arch'] ?? '',
		bootId: record['boot.id'] ?? '',
		userName: (uid) => users.get(uid) ?? '',
		users,
	}
}

function parsePasswd(passwd: string): Map<number, string> {
	const users = new Map<number, string>()
	for (const line of passwd.split('\n')) {
		const fields = line.split(':')
		const uid = Number(fields[2])
		if (fields.length >= 3 && Number.isInteger(uid) && !users.has(uid)) users.set(uid, fields[0] as string)
	}
	return users
}

function text(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		// Absent in containers and minimal systems.
		return ''
	}
}
