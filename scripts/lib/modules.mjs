import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, say, timed } from './report.mjs'
import { digestOf, isStamped, stamp } from './stamp.mjs'

const lock = 'package-lock.json'

/** `npm ci --ignore-scripts` where node_modules is absent or older than the lock file. */
export async function ensureModules() {
	const digest = digestOf([lock], process.platform + process.arch)
	const installed = join(root, 'node_modules/.package-lock.json')
	if (existsSync(installed)) {
		if (isStamped('modules', digest)) return
		if (statSync(installed).mtimeMs >= statSync(join(root, lock)).mtimeMs) {
			stamp('modules', digest)
			return
		}
	}
	say('Installing the npm packages …')
	await timed('npm ci --ignore-scripts', () =>
		run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
			fix: 'npm ci --ignore-scripts',
			// A lock file says what to install; nothing may ask.
			env: { CI: 'true', npm_config_loglevel: 'error' },
		}),
	)
	stamp('modules', digest)
}
