import type { Scope } from '../eval/scope.ts'
import type { Block } from '../syntax/ast.ts'
import { importFile, importGit, importHttp, importString } from './config-blocks.ts'
import type { GitAuth, ImportRequest } from './import-source.ts'
import { blockName } from './node.ts'
import { decodeConfig } from './value-nodes.ts'

/** What an import block asks for. Throws when its arguments are wrong. */
export function readRequest(block: Block, scope: Scope): ImportRequest {
	const kind = blockName(block)
	switch (kind) {
		case 'import.string':
			return { kind, content: decodeConfig(importString, block, scope).content.reveal() }
		case 'import.file': {
			const args = decodeConfig(importFile, block, scope)
			return { kind, filename: args.filename, detector: args.detector, pollMs: args.poll_frequency }
		}
		case 'import.http': {
			const args = decodeConfig(importHttp, block, scope)
			checkUrl(args.url)
			return {
				kind,
				url: args.url,
				method: args.method === '' ? 'GET' : args.method,
				headers: args.headers,
				body: args.body,
				pollMs: args.poll_frequency,
				timeoutMs: args.poll_timeout,
				client: args.client,
			}
		}
		default: {
			const args = decodeConfig(importGit, block, scope)
			return {
				kind: 'import.git',
				repository: args.repository,
				revision: args.revision,
				path: args.path,
				pollMs: args.pull_frequency,
				auth: gitAuth(args),
				proxy: { url: args.proxy_url, except: args.no_proxy, fromEnvironment: args.proxy_from_environment },
				tls: args.tls_config,
			}
		}
	}
}

function checkUrl(url: string): void {
	const protocol = URL.canParse(url) ? new URL(url).protocol : ''
	if (protocol !== 'http:' && protocol !== 'https:')
		throw new Error(
			`creating http component: performing request: unsupported protocol scheme in ${JSON.stringify(url)}`,
		)
}

/** As in Alloy a password wins over a key when both are given. */
function gitAuth(args: ReturnType<typeof importGit.defaults>): GitAuth | undefined {
	const { basic_auth: basic, ssh_key: ssh } = args
	if (basic !== undefined) return { kind: 'basic', username: basic.username, password: basic.password }
	if (ssh === undefined) return undefined
	return {
		kind: 'ssh',
		username: ssh.username,
		key: ssh.key,
		keyFile: ssh.key_file,
		passphrase: ssh.passphrase,
	}
}
