// Puts Vör into one file, dependencies included, with V8's compiled form of it beside: Node spends most of a start on finding,
// reading and compiling some 700 small modules. What tsc made stays too, for whoever imports a part. `node scripts/bundle.mjs`
//
//   dist/main.js                  src/launcher.ts: runs the next
//   dist/bundle/vor-HASH.cjs      src/main.ts, a script: V8 takes compiled code from outside for scripts only
//   dist/bundle/vor-HASH.cache    its compiled functions; only for this V8, else it is left unused
//   dist/bundle/worker.js         src/process/worker.ts
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root, run, runScript } from './lib/report.mjs'

/** Large packages that give Node CommonJS although they have modules: of modules only what is used is taken. */
const shaken = /^(rxjs|@opentelemetry\/[^/]+)$/

function resolveToModule({ path: name }) {
	const folder = join(root, 'node_modules', name)
	const { module, es2015, sideEffects } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
	const path = es2015 ?? module
	return path === undefined ? undefined : { path: join(folder, path), sideEffects: sideEffects !== false }
}

const common = {
	absWorkingDir: root,
	bundle: true,
	platform: 'node',
	target: 'node20.19',
	// The addon finds its binary beside itself.
	external: ['bpf-native-loader'],
	plugins: [{ name: 'modules', setup: ({ onResolve }) => onResolve({ filter: shaken }, resolveToModule) }],
	// One byte a character, in the file and in memory.
	charset: 'ascii',
	legalComments: 'none',
	logLevel: 'warning',
}

await runScript(async () => {
	rmSync(join(root, 'dist/bundle'), { recursive: true, force: true })
	mkdirSync(join(root, 'dist/bundle'), { recursive: true })
	const { outputFiles } = await build({
		...common,
		entryPoints: ['src/main.ts'],
		format: 'cjs',
		write: false,
		// The file is an expression: a function with what CommonJS gives a module.
		banner: {
			js: "(function (exports, require, module, __filename, __dirname) {\nconst bundleUrl = require('node:url').pathToFileURL(__filename).href;",
		},
		footer: { js: '})' },
		define: { 'import.meta.url': 'bundleUrl' },
	})
	const text = outputFiles[0].text.replace(/^#!.*\n/, '')
	// V8 compares only the length of what it compiled with what it gets: the name says which it was.
	const name = `vor-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.cjs`
	writeFileSync(join(root, 'dist/bundle', name), text)
	await build({
		...common,
		entryPoints: { main: 'src/launcher.ts', 'bundle/worker': 'src/process/worker.ts' },
		outdir: 'dist',
		format: 'esm',
		define: { BUNDLE: JSON.stringify(name) },
	})
	await run('node', ['scripts/lib/code-cache.mjs', join('dist/bundle', name)])
	return 0
})
