import { expect, test } from 'vitest'
import { parseRunOptions } from '../../src/cli/run-options.ts'
import { knownComponents, runValidate } from '../../src/cli/validate.ts'
import { captureIo } from '../syntax/capture-io.ts'

test('flags win over the environment, that over the defaults', () => {
	expect(parseRunOptions(['a.alloy'], {})).toMatchObject({
		path: 'a.alloy',
		listen: '127.0.0.1:12345',
		storagePath: 'data-alloy/',
		stability: 'generally-available',
	})
	const env = { VOR_STORAGE_PATH: '/env', VOR_LOG_LEVEL: 'warn' }
	expect(parseRunOptions(['--storage.path', '/flag', 'a.alloy'], env)).toMatchObject({
		storagePath: '/flag',
		logLevel: 'warn',
	})
})

test('every flag of alloy run is taken, with its value after a space or an equals sign, before and after the path', () => {
	const words = [
		'--server.http.memory-addr=alloy.internal:12345',
		'--server.http.ui-path-prefix /',
		'--server.http.enable-pprof=true',
		'--server.http.disable-support-bundle=false',
		'--server.http.enable-graphql',
		'--server.http.enable-graphql-playground',
		'--disable-reporting',
		'--feature.community-components.enabled',
		'--feature.component-shutdown-deadline=10m',
		'--feature.prometheus.direct-fanout.enabled',
		'--feature.prometheus.metric-validation-scheme legacy',
		'--config.format=alloy',
		'--config.bypass-conversion-errors',
		'--config.extra-args -a=b --c',
		'--cluster.enabled=true',
		'--cluster.node-name n',
		'--cluster.join-addresses a,b',
		'--cluster.discover-peers x=y',
		'--cluster.rejoin-interval=60s',
		'--cluster.advertise-address=a',
		'--cluster.advertise-interfaces=eth0,en0',
		'--cluster.max-join-peers=5',
		'--cluster.name=x',
		'--cluster.enable-tls',
		'--cluster.tls-ca-path=x',
		'--cluster.tls-cert-path=x',
		'--cluster.tls-key-path=x',
		'--cluster.tls-server-name=x',
		'--cluster.wait-for-size=1',
		'--cluster.wait-timeout=1s',
	]
	const argv = words.flatMap((word) => {
		const at = word.indexOf(' ')
		return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)]
	})
	expect(parseRunOptions([...argv, 'p.alloy', '--stability.level=experimental'], {})).toMatchObject({
		path: 'p.alloy',
		stability: 'experimental',
	})
	expect(parseRunOptions(['--', '--odd-name'], {}).path).toBe('--odd-name')
})

test.each([
	[['--storage.pth=/x', 'a'], 'unknown flag: --storage.pth, did you mean --storage.path?', '--storage.path'],
	[['--zzzzzzzzzz', 'a'], 'unknown flag: --zzzzzzzzzz', 'vor run --help'],
	[['-x', 'a'], "unknown shorthand flag: 'x' in -x", 'vor run --help'],
	[['a', '--storage.path'], 'flag needs an argument: --storage.path', 'vor run --help'],
	[['--disable-reporting=maybe', 'a'], 'strconv.ParseBool: parsing "maybe": invalid syntax', undefined],
	[['--config.format=static', 'a'], 'unsupported config format "static"', undefined],
	[['--stability.level=wild', 'a'], 'stability', undefined],
	[['a', 'b'], 'vor run takes one file or folder, got 2', undefined],
] as const)('%j is refused with the reason and the fix', (argv, message, fix) => {
	try {
		parseRunOptions(argv, {})
	} catch (reason) {
		expect(reason).toMatchObject({ code: 'E_USAGE', ...(fix === undefined ? {} : { fix }) })
		expect((reason as Error).message).toContain(message)
		return
	}
	throw new Error('it was taken')
})

test('validate takes Alloy’s flags, and names the nearest of an unknown one where that is asked for', async () => {
	const call = async (...argv: string[]) => {
		const io = captureIo()
		return { code: await runValidate(argv, io, knownComponents), out: io.out(), err: io.err() }
	}
	const flags = ['--config.format=alloy', '--config.extra-args', '-x', '--config.bypass-conversion-errors']
	const file = new URL('../../pipelines/local.alloy', import.meta.url).pathname
	expect(await call(...flags, '--feature.community-components.enabled', file)).toEqual({
		code: 0,
		out: '',
		err: '',
	})
	expect(await call('--stability.levl=x', file)).toEqual({
		code: 1,
		out: '',
		err: 'Error: unknown flag: --stability.levl\n',
	})
	expect((await call('--explain', '--stability.levl=x', file)).err).toBe(
		'Error: unknown flag: --stability.levl\n  = help: did you mean --stability.level?\n',
	)
})
