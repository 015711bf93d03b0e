#!/usr/bin/env node
/** What dist/main.js is: runs the bundle with the compiled code that the build left beside it (scripts/bundle.mjs). */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants, Script } from 'node:vm'

/** The bundle's file name; esbuild puts it in. */
declare const BUNDLE: string

const file = fileURLToPath(new URL(`./bundle/${BUNDLE}`, import.meta.url))
const cachedData = readCache(file.replace(/\.cjs$/, '.cache'))
const script = new Script(readFileSync(file, 'latin1'), {
	filename: file,
	...(cachedData === undefined ? {} : { cachedData }),
	importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
})
const module = { exports: {} }
script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file))

/** Absent or of another V8 (which then refuses it): everything is compiled anew, a tenth of a second. */
function readCache(path: string): Buffer | undefined {
	try {
		return readFileSync(path)
	} catch {
		return undefined
	}
}
