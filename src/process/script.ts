import type { Language } from '../model/process-fact.ts'

/** What an interpreter was told to run. */
export interface Script {
	/** The name a service gets from it: file name without extension, module, jar or class. */
	readonly name: string
	/** Path as in argv, '' when it is a module, class or inline code. */
	readonly path: string
}

/** Finds the script in argv; undefined when there is none (an interactive shell, inline code) or argv is cut before it. */
export function findScript(language: Language, argv: readonly string[]): Script | undefined {
	switch (language) {
		case 'nodejs':
			return ofFile(firstOperand(argv, NODE_VALUE_OPTIONS, NODE_CODE_OPTIONS)?.value)
		case 'python':
			return ofPython(argv)
		case 'ruby':
			return ofRuby(argv)
		case 'php':
			return ofPhp(argv)
		case 'java':
			return ofJava(argv)
		case 'dotnet':
			return ofDotnet(argv)
		default:
			return undefined
	}
}

interface Operand {
	readonly value: string
	readonly index: number
}

/** The first argument that is neither an option nor an option's value. `code` options mean that no script follows. */
function firstOperand(
	argv: readonly string[],
	withValue: ReadonlySet<string>,
	code: ReadonlySet<string>,
	from = 1,
): Operand | undefined {
	for (let i = from; i < argv.length; i++) {
		const arg = argv[i] as string
		if (arg === '--') {
			const next = argv[i + 1]
			return next === undefined ? undefined : { value: next, index: i + 1 }
		}
		if (arg === '-' || arg === '') return undefined
		if (!arg.startsWith('-')) return { value: arg, index: i }
		if (code.has(arg)) return undefined
		if (withValue.has(arg)) i++
	}
	return undefined
}

const NODE_VALUE_OPTIONS = new Set(
	'-r --require --import --loader --experimental-loader -C --conditions --env-file --env-file-if-exists --title --icu-data-dir --openssl-config --disable-warning --watch-path --input-type --experimental-default-type --diagnostic-dir --report-dir --report-directory --redirect-warnings --trace-event-categories --unhandled-rejections --dns-result-order --max-http-header-size --stack-trace-limit --snapshot-blob --tls-cipher-list'.split(
		' ',
	),
)
const NODE_CODE_OPTIONS = new Set('-e --eval -p --print -pe -i --interactive'.split(' '))
const PYTHON_VALUE_OPTIONS = new Set(['-W', '-X', '-Q', '--check-hash-based-pycs'])
const RUBY_VALUE_OPTIONS = new Set(['-I', '-r', '-C', '-E', '-K'])

/** Names that say nothing about the service: the folder says more. */
const GENERIC_FILES = new Set(['__main__', 'manage'])

function ofFile(path: string | undefined): Script | undefined {
	if (path === undefined) return undefined
	const parts = path.split('/').filter((part) => part !== '' && part !== '.')
	const file = parts.at(-1)
	if (file === undefined) return undefined
	const name = file.replace(/\.(?:[cm]?[jt]sx?|pyc?|rb|ru|php|jar|war|dll|sh)$/, '')
	const folder = parts.at(-2)
	if (GENERIC_FILES.has(name) && folder !== undefined && folder !== '..') return { name: folder, path }
	return name === '' ? undefined : { name, path }
}

/** Application servers: the service is the application that they are told to serve. */
const PYTHON_SERVERS = new Set([
	'gunicorn',
	'uvicorn',
	'hypercorn',
	'daphne',
	'waitress-serve',
	'waitress',
	'granian',
])

function ofPython(argv: readonly string[]): Script | undefined {
	for (let i = 1; i < argv.length; i++) {
		const arg = argv[i] as string
		if (arg.startsWith('-c') && !arg.startsWith('--')) return undefined
		// Flags may be glued together (-um), the module to the last of them (-mhttp.server).
		const module = /^-[bBdEhiIOPqRsSuvx]*m(.*)$/.exec(arg)
		if (module !== null) {
			const name = module[1] === '' ? argv[i + 1] : module[1]
			const rest = argv.slice(module[1] === '' ? i + 2 : i + 1)
			return name === undefined ? undefined : ofPythonTool(name, rest, { name, path: '' })
		}
		if (arg === '-' || arg === '') return undefined
		if (PYTHON_VALUE_OPTIONS.has(arg)) i++
		else if (!arg.startsWith('-')) {
			const script = ofFile(arg)
			return script === undefined ? undefined : ofPythonTool(script.name, argv.slice(i + 1), script)
		}
	}
	return undefined
}

function ofPythonTool(tool: string, rest: readonly string[], itself: Script): Script {
	if (PYTHON_SERVERS.has(tool)) {
		// `package.module:app`; a bare module name could as well be an option's value.
		const target = rest.find((arg) => /^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?:\(.*\))?$/.test(arg))
		if (target !== undefined) return moduleScript(target)
	}
	if (tool === 'flask') {
		const at = rest.findIndex((arg) => arg === '--app' || arg === '-A' || arg.startsWith('--app='))
		const app = at < 0 ? undefined : rest[at]?.startsWith('--app=') ? rest[at]?.slice(6) : rest[at + 1]
		if (app !== undefined) return moduleScript(app)
	}
	if (tool === 'celery') {
		const at = rest.findIndex((arg) => arg === '-A' || arg === '--app' || arg.startsWith('--app='))
		const app = at < 0 ? undefined : rest[at]?.startsWith('--app=') ? rest[at]?.slice(6) : rest[at + 1]
		if (app !== undefined) return moduleScript(app)
	}
	return itself
}

/** `shop.wsgi:application` is the service shop: wsgi and asgi are what the tool makes them be called. */
function moduleScript(target: string): Script {
	const module = target.slice(0, target.indexOf(':') < 0 ? undefined : target.indexOf(':'))
	const trimmed = module.replace(/\.(?:wsgi|asgi)$/, '').replace(/\.py$/, '')
	return { name: trimmed.slice(trimmed.lastIndexOf('/') + 1), path: '' }
}

function ofRuby(argv: readonly string[]): Script | undefined {
	if (argv.some((arg) => arg === '-e')) return undefined
	const operand = firstOperand(argv, RUBY_VALUE_OPTIONS, new Set())
	if (operand === undefined) return undefined
	const parts = operand.value.split('/')
	// <app>/bin/rails
	if (parts.at(-1) === 'rails' && parts.at(-2) === 'bin' && parts.at(-3)) {
		return { name: parts.at(-3) as string, path: operand.value }
	}
	return ofFile(operand.value)
}

function ofPhp(argv: readonly string[]): Script | undefined {
	const values = new Set(['-S', '-t', '-d', '-c', '-z', '-f', '--docroot', '--server', '--define'])
	const file = argv.indexOf('-f')
	if (file > 0) return ofFile(argv[file + 1])
	return ofFile(firstOperand(argv, values, new Set(['-r', '--run', '-a']))?.value)
}

const JAVA_VALUE_OPTIONS = new Set(
	'-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --add-opens --add-exports --add-reads --limit-modules --patch-module --source --enable-native-access'.split(
		' ',
	),
)

function ofJava(argv: readonly string[]): Script | undefined {
	for (let i = 1; i < argv.length; i++) {
		const arg = argv[i] as string
		if (arg === '-jar') return ofFile(argv[i + 1])
		if (arg === '-m' || arg === '--module') {
			const module = argv[i + 1]?.split('/')[0]
			return module ? { name: module, path: '' } : undefined
		}
		if (arg.startsWith('--module=')) return { name: arg.slice(9).split('/')[0] as string, path: '' }
		if (JAVA_VALUE_OPTIONS.has(arg)) i++
		else if (!arg.startsWith('-') && !arg.startsWith('@')) {
			if (arg.endsWith('.java')) {
				return { name: arg.slice(arg.lastIndexOf('/') + 1, -'.java'.length), path: arg }
			}
			return { name: arg, path: '' }
		}
	}
	return undefined
}

function ofDotnet(argv: readonly string[]): Script | undefined {
	const dll = argv.find((arg, index) => index > 0 && arg.endsWith('.dll'))
	return ofFile(dll)
}
