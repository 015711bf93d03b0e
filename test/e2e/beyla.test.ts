import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run } from './support/process.ts'
import { startNode } from './support/programs.ts'
import { eventually, startVor, sumMetric } from './support/vor.ts'

it("a scrape of a beyla.ebpf block's target gets that block's metrics and no others", async () => {
	const mine = await startNode()
	const other = await startNode()
	const block = (label: string, port: number) => `beyla.ebpf "${label}" {
	discovery {
		instrument {
			open_ports = "${port}"
			name       = "${label}-service"
		}
	}
}
`
	const vor = await startVor(block('mine', mine.port) + block('other', other.port))
	try {
		const component = (await (await fetch(`${vor.url}/api/v0/web/components/beyla.ebpf.mine`)).json()) as {
			readonly exports: readonly { readonly name: string; readonly value: unknown }[]
		}
		const targets = JSON.stringify(component.exports.find(({ name }) => name === 'targets')?.value)
		const path = /"(\/api\/v0\/component\/[^"]+\/metrics)"/.exec(targets)?.[1]
		expect(path).toBe('/api/v0/component/beyla.ebpf.mine/metrics')
		const scrape = async () =>
			(await run('curl', ['-sS', '-i', '-A', 'Prometheus/3.0', `${vor.url}${path}`])).stdout
		const count = 'http_server_request_duration_seconds_count'
		for (let i = 0; i < 5; i++) {
			await run('curl', ['-sS', '-o', '/dev/null', `${mine.url}/hello`])
			await run('curl', ['-sS', '-o', '/dev/null', `${other.url}/hello`])
		}
		const text = await eventually(
			async () => {
				const page = await scrape()
				return sumMetric(page, count) === 5 ? page : undefined
			},
			() => `never 5 requests\n${vor.stderr()}`,
		)
		expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
		expect(text).toMatch(/content-type: text\/plain; version=0\.0\.4/i)
		expect(sumMetric(text, count, { service_name: 'mine-service' })).toBe(5)
		expect(text).toContain('target_info{')
		expect(text).not.toContain('other-service')
		expect(text).not.toMatch(/^(vor_|alloy_)/m)
		const missing = await run('curl', [
			'-sS',
			'-o',
			'/dev/null',
			'-w',
			'%{http_code}',
			`${vor.url}/api/v0/component/beyla.ebpf.nobody/metrics`,
		])
		expect(missing.stdout).toBe('404')
	} finally {
		await vor.stop()
		await mine.stop()
		await other.stop()
	}
}, 120_000)

it('a reload with other routes counts on with them while the probes stay attached', async () => {
	const server = await startNode()
	const pipeline = (pattern: string) => `beyla.ebpf "app" {
	discovery {
		instrument {
			open_ports = "${server.port}"
		}
	}

	routes {
		patterns = ["${pattern}"]
	}
}
`
	const vor = await startVor(pipeline('/{first}'))
	try {
		const seen = (route: string) =>
			eventually(
				async () =>
					(await vor.metric('http_server_request_duration_seconds_count', { http_route: route })) > 0 ||
					undefined,
				() => `route ${route} never seen\n${vor.stderr()}`,
			)
		await run('curl', ['-sS', '-o', '/dev/null', `${server.url}/a`])
		await seen('/{first}')
		writeFileSync(join(vor.folder, 'config.alloy'), pipeline('/{second}'))
		const reload = await run('curl', ['-sS', '-w', '%{http_code}', `${vor.url}/-/reload`])
		expect(reload.stdout).toBe('config reloaded\n200')
		await run('curl', ['-sS', '-o', '/dev/null', `${server.url}/b`])
		await seen('/{second}')
		expect(vor.stderr().match(/msg=attached/g)).toHaveLength(1)
	} finally {
		await vor.stop()
		await server.stop()
	}
}, 120_000)
