// Puts dist/main.js and its worker into few files, dependencies included: Node spends most of a start on finding and reading
// some 700 small modules. What tsc made stays beside it, for whoever imports a part. `node scripts/bundle.mjs`
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root, runScript } from './lib/report.mjs'

await runScript(async () => {
	rmSync(join(root, 'dist/bundle'), { recursive: true, force: true })
	await build({
		absWorkingDir: root,
		// One folder below dist/, as every module that tsc makes: what they look for relative to themselves is found.
		entryPoints: { main: 'src/main.ts', 'bundle/worker': 'src/process/worker.ts' },
		outdir: 'dist',
		chunkNames: 'bundle/[name]-[hash]',
		bundle: true,
		splitting: true,
		format: 'esm',
		platform: 'node',
		target: 'node20.19',
		// The addon finds its binary beside itself.
		external: ['bpf-native-loader'],
		// Dependencies in CommonJS ask for Node's own modules by require().
		banner: {
			js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
		},
		logLevel: 'warning',
	})
	return 0
})
