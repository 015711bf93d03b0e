import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { expect, test } from 'vitest'
import { root, textOf, trackedFiles } from './files.ts'

const binary = /\.(png|jpg|gz|zip|vorrec|bin|pcap|ico|woff2?|br)$|^test\/fixtures\//

function linesWith(needle: RegExp): string[] {
	const found: string[] = []
	for (const file of trackedFiles().filter((path) => !binary.test(path))) {
		const lines = textOf(file).split('\n')
		for (let i = 0; i < lines.length; i++)
			if (needle.test(lines[i]!)) found.push(`${file}:${i + 1}: ${lines[i]!.trim().slice(0, 120)}`)
	}
	return found
}

function quoted(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

/** Host names of the registries that this machine's package clients use, as the clients themselves say. */
function registryHosts(): string[] {
	const texts: string[] = []
	const ask = (program: string, ...args: string[]) => {
		try {
			texts.push(
				execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
			)
		} catch {
			// That client is not installed here; its registry cannot have come from it.
		}
	}
	ask('npm', 'config', 'get', 'registry', '--loglevel=error')
	ask('go', 'env', 'GOPROXY')
	ask('pip', 'config', 'list')
	for (const file of ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources']) {
		if (existsSync(file)) texts.push(readFileSync(file, 'utf8'))
	}
	const hosts = new Set<string>()
	for (const match of texts.join('\n').matchAll(/https?:\/\/(?:[^\s/@]*@)?([^\s/:'",]+)/g))
		hosts.add(match[1]!)
	return [...hosts]
}

test('no tracked file names the folder this checkout stands in, its parent or the home of whoever works on it', () => {
	const checkout = root.replace(/\/$/, '')
	const folders = [checkout, checkout.slice(0, checkout.lastIndexOf('/')), homedir()]
	for (const folder of new Set(folders)) {
		// A very short name says nothing about a machine.
		if (folder.length < 5) continue
		expect(linesWith(new RegExp(`(^|[^\\w.>}-])${quoted(folder)}/\\w`))).toEqual([])
	}
})

test('no tracked file names a package registry', () => {
	const hosts = registryHosts()
	expect(hosts.length).toBeGreaterThan(0)
	expect(linesWith(new RegExp(hosts.map(quoted).join('|')))).toEqual([])
})

test('nothing built is tracked', () => {
	expect(
		trackedFiles().filter((path) =>
			/\.(o|node|so|a|class|jar|tgz)$|\.gen\.ts$|^dist\/|^src\/gen\//.test(path),
		),
	).toEqual([])
})
