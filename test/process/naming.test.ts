import { expect, test } from 'vitest'
import type { Language } from '../../src/model/process-fact.ts'
import { languageOfMaps, languageOfName } from '../../src/process/language.ts'
import { exportsOtlp, parseOtelEnvironment } from '../../src/process/otel-env.ts'
import { findScript } from '../../src/process/script.ts'
import { nameService } from '../../src/process/service-name.ts'

test.each<[Language, string, string | undefined]>([
	['nodejs', 'node server.js', 'server'],
	['nodejs', 'node --require ./x.js --max-old-space-size=100 /srv/api/main.mjs --port 1', 'main'],
	['nodejs', 'node --import tsx -C dev src/index.ts', 'index'],
	['nodejs', 'node -e 1', undefined],
	['nodejs', 'node', undefined],
	['python', 'python3 app.py', 'app'],
	['python', 'python3 -u -W ignore /srv/app.py', 'app'],
	['python', 'python3 -m http.server 8000', 'http.server'],
	['python', 'python3 -um http.server', 'http.server'],
	['python', 'python3 -c pass', undefined],
	['python', '/usr/bin/python3 /usr/bin/gunicorn -w 4 shop.wsgi:application', 'shop'],
	['python', 'python3 -m uvicorn main:app --host 0.0.0.0:80', 'main'],
	['python', 'python3 -m flask --app hello run', 'hello'],
	['python', 'python3 /srv/blog/manage.py runserver', 'blog'],
	['java', 'java -Xmx1g -jar /srv/orders-1.2.jar --server.port=1', 'orders-1.2'],
	['java', 'java -cp a:b com.acme.Main x', 'com.acme.Main'],
	['java', 'java -cp a:b --add-opens java.base/x=ALL-UNNAMED Main', 'Main'],
	['java', 'java -m acme.web/acme.Main', 'acme.web'],
	['java', 'java Server.java', 'Server'],
	['ruby', 'ruby -Ilib -r json app.rb', 'app'],
	['ruby', 'ruby /srv/shop/bin/rails server', 'shop'],
	['php', 'php -S 127.0.0.1:80 -t public router.php', 'router'],
	['dotnet', 'dotnet /srv/Orders.Api.dll --urls x', 'Orders.Api'],
])('%s: "%s" runs %s', (language, command, expected) => {
	expect(findScript(language, command.split(' '))?.name).toBe(expected)
})

const node = {
	otel: parseOtelEnvironment([]),
	configuredName: '',
	language: 'nodejs' as Language,
	executable: '/usr/bin/node',
	commandLine: ['node', '/srv/server.js'],
	packageName: '@acme/shop',
	comm: 'node',
}

test('service.name comes from the first source that has one', () => {
	const named = (environment: string[], change = {}) =>
		nameService({ ...node, otel: parseOtelEnvironment(environment), ...change })
	const attributes = 'OTEL_RESOURCE_ATTRIBUTES=service.name=attr,a=b'
	expect(named(['OTEL_SERVICE_NAME=env', attributes], { configuredName: 'conf' })).toEqual({
		name: 'env',
		source: 'OTEL_SERVICE_NAME',
	})
	expect(named([attributes], { configuredName: 'conf' }).name).toBe('attr')
	expect(named([], { configuredName: 'conf' })).toEqual({ name: 'conf', source: 'configuration' })
	expect(named([])).toEqual({ name: '@acme/shop', source: 'package' })
	expect(named([], { packageName: '' })).toEqual({ name: 'server', source: 'script' })
	expect(named([], { packageName: '', commandLine: ['node'] })).toEqual({
		name: 'node',
		source: 'executable',
	})
	expect(named([], { language: 'generic', executable: '/usr/bin/curl (deleted)' }).name).toBe('curl')
	expect(named([], { language: 'generic', executable: '', comm: 'x' })).toEqual({ name: 'x', source: 'comm' })
})

test('an unexpanded variable is no name, and percent-encoding is undone', () => {
	expect(parseOtelEnvironment(['OTEL_SERVICE_NAME=$(NAME)']).serviceName).toBe('')
	const { resourceAttributes } = parseOtelEnvironment([
		'OTEL_RESOURCE_ATTRIBUTES=a=x%2Cy,b=100%,=z,c,service.name=$X',
	])
	expect(resourceAttributes).toEqual({ a: 'x,y', b: '100%' })
})

test('servers that write over their argv are named after what they serve', () => {
	const titled = (title: string, language: Language, executable: string) =>
		nameService({ ...node, packageName: '', language, executable, commandLine: [title] }).name
	expect(titled('gunicorn: master [shop.wsgi:app]', 'python', '/usr/bin/python3')).toBe('shop')
	expect(titled('puma 6.4.0 (tcp://0.0.0.0:3000) [store]', 'ruby', '/usr/bin/ruby3.1')).toBe('store')
})

test('languages are known by executable name and by mapped libraries', () => {
	expect(languageOfName('/usr/bin/python3.11')).toBe('python')
	expect(languageOfName('/opt/node-20/bin/node')).toBe('nodejs')
	expect(languageOfName('/usr/sbin/php-fpm8.2')).toBe('php')
	expect(languageOfName('/usr/bin/nodemon-like')).toBe('generic')
	expect(languageOfMaps(['/lib/libc.so.6', '/jdk/lib/server/libjvm.so'])).toBe('java')
	expect(languageOfMaps(['/lib/libstdc++.so.6', '/lib/libc.so.6'])).toBe('cpp')
	expect(languageOfMaps(['/lib/libc.so.6'])).toBe('generic')
})

test('a loaded SDK is recognised, mere exporter variables are not', () => {
	const judge = (
		command: string,
		environment: string[],
		variables: [string, string][] = [],
		linked = 'none',
	) =>
		exportsOtlp(
			command.split(' '),
			new Map(variables),
			parseOtelEnvironment(environment),
			linked as 'none' | 'traces' | 'both',
		)
	const endpoint = 'OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317'
	expect(judge('curl x', [endpoint])).toBe('none')
	expect(judge('node --require @opentelemetry/auto-instrumentations-node/register a.js', [])).toBe('both')
	expect(judge('node a.js', [], [['NODE_OPTIONS', '--import @opentelemetry/auto/register']])).toBe('both')
	expect(
		judge('java -javaagent:/o/opentelemetry-javaagent.jar -jar a.jar', ['OTEL_METRICS_EXPORTER=none']),
	).toBe('traces')
	expect(judge('python3 /usr/bin/opentelemetry-instrument python app.py', ['OTEL_SDK_DISABLED=true'])).toBe(
		'none',
	)
	expect(
		judge('python3 app.py', [], [['PYTHONPATH', '/x/opentelemetry/instrumentation/auto_instrumentation']]),
	).toBe('both')
	expect(judge('./go-shop', [], [], 'traces')).toBe('none')
	expect(judge('./go-shop', [endpoint], [], 'traces')).toBe('traces')
})
