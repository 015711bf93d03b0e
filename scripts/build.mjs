// Builds what changed: `node scripts/build.mjs`; all of it: `--force`.
import { runScript } from './lib/report.mjs'
import { build } from './lib/steps.mjs'

await runScript(() => build({ force: process.argv.includes('--force') }))
