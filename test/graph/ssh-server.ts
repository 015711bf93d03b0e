import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { startProgram } from '../e2e/support/process.ts'
import { freePort } from '../e2e/support/programs.ts'

const PRIVILEGE_SEPARATION = '/run/sshd'

export interface SshServer {
	/** `127.0.0.1:port` */
	readonly host: string
	/** Who may log in: whoever runs the test. */
	readonly user: string
	/** A file for `UserKnownHostsFile` that names this server's key. */
	readonly knownHosts: string
	readonly log: () => string
	stop(): Promise<unknown>
}

/** A key pair in `folder`; the text of the private key. */
export function makeKey(folder: string, name: string, passphrase = ''): { file: string; text: string } {
	const file = join(folder, name)
	execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', name, '-f', file])
	return { file, text: readFileSync(file, 'utf8') }
}

/** A real sshd with its own port, host key and configuration, all in `folder`, that lets the keys of `allowed` in. */
export async function startSshd(folder: string, allowed: readonly string[]): Promise<SshServer> {
	mkdirSync(folder, { recursive: true })
	const port = await freePort()
	const { username, uid } = userInfo()
	const hostKey = makeKey(folder, 'host-key')
	const keys = join(folder, 'authorized-keys')
	writeFileSync(keys, allowed.map((file) => readFileSync(`${file}.pub`, 'utf8')).join(''))
	const config = join(folder, 'sshd.conf')
	writeFileSync(
		config,
		[
			`Port ${port}`,
			'ListenAddress 127.0.0.1',
			`HostKey ${hostKey.file}`,
			`AuthorizedKeysFile ${keys}`,
			`AllowUsers ${username}`,
			'PermitRootLogin prohibit-password',
			'PasswordAuthentication no',
			'KbdInteractiveAuthentication no',
			'UsePAM no',
			// A folder below /tmp is not strict enough.
			'StrictModes no',
			'PidFile none',
			'LogLevel VERBOSE',
			'',
		].join('\n'),
	)
	const knownHosts = join(folder, 'known-hosts')
	const [kind, key] = readFileSync(`${hostKey.file}.pub`, 'utf8').split(' ')
	writeFileSync(knownHosts, `[127.0.0.1]:${port} ${kind} ${key}\n`)
	const sshd = ['/usr/sbin/sshd', '-D', '-e', '-f', config]
	// As root it wants a folder that Debian's service makes. (A mount namespace with a /run of its own is refused in a chroot.)
	const made = uid === 0 && mkdirSync(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 }) !== undefined
	const program = startProgram(sshd[0]!, sshd.slice(1))
	await program.waitFor(/Server listening on 127\.0\.0\.1 port/)
	return {
		host: `127.0.0.1:${port}`,
		user: username,
		knownHosts,
		log: program.stderr,
		stop: async () => {
			await program.stop()
			if (made) rmdirSync(PRIVILEGE_SEPARATION)
		},
	}
}
