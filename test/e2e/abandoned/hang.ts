import { readFileSync, writeFileSync } from 'node:fs'
import { it } from 'vitest'
import { stages } from '../support/pipelines.ts'
import { startC, startGo, startJava, startNginx, startNode, startPython } from '../support/programs.ts'
import { startVor } from '../support/vor.ts'

it('starts one of each and waits until it is killed', async () => {
	const nginx = await startNginx('server { listen 127.0.0.1:PORT; }', { workers: 2 })
	const programs = [
		nginx,
		...(await Promise.all([startC(), startGo(), startJava(), startNode(), startPython()])),
	]
	const vor = await startVor(stages({}))
	const workers = readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'utf8').trim().split(' ')
	const pids = [process.pid, vor.pid, ...programs.map(({ pid }) => pid), ...workers.map(Number)]
	writeFileSync(process.env['ABANDONED_PIDS'] as string, JSON.stringify(pids))
	await new Promise(() => {})
})
