// Run after `npm install`: adds to package-lock.json the optional packages of other platforms that the registry at hand did
// not have. Without them `npm ci` calls the lock file out of date. They are never fetched on this platform.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runScript, say } from './lib/report.mjs'

await runScript(() => {
	const path = join(root, 'package-lock.json')
	const lock = JSON.parse(readFileSync(path, 'utf8'))
	const added = []
	for (const entry of Object.values(lock.packages)) {
		for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
			const key = `node_modules/${name}`
			if (lock.packages[key] !== undefined || !/^\d/.test(version)) continue
			const platform = /-?(android|darwin|linux|win32)-(arm64|x64|armv7)(?:-(musl))?$/.exec(name)
			if (platform === null) continue
			const [, os, cpu, libc] = platform
			lock.packages[key] = {
				version,
				cpu: [cpu === 'armv7' ? 'arm' : cpu],
				...(entry.dev ? { dev: true } : {}),
				...(libc === undefined ? {} : { libc: [libc] }),
				optional: true,
				os: [os],
			}
			added.push(name)
		}
	}
	if (added.length === 0) return
	const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))
	lock.packages = Object.fromEntries(sorted)
	writeFileSync(path, `${JSON.stringify(lock, null, '\t')}\n`)
	for (const name of added) say(`added ${name}`)
})
