import type { Language } from '../model/process-fact.ts'

/** By the executable's file name alone: what an exec record can tell at once. 'generic' = not known by name. */
export function languageOfName(executable: string): Language {
	const name = executable.slice(executable.lastIndexOf('/') + 1)
	if (/^python(\d+(\.\d+)*)?$/.test(name) || /^pypy\d*(\.\d+)*$/.test(name)) return 'python'
	if (name === 'node' || name === 'nodejs') return 'nodejs'
	if (name === 'java') return 'java'
	if (/^j?ruby(\d+(\.\d+)*)?$/.test(name)) return 'ruby'
	if (/^php(-fpm|-cgi)?(\d+(\.\d+)*)?$/.test(name)) return 'php'
	if (name === 'dotnet') return 'dotnet'
	if (name === 'beam.smp' || name === 'erl') return 'erlang'
	return 'generic'
}

const LIBRARIES: readonly (readonly [RegExp, Language])[] = [
	[/^libjvm\.so/, 'java'],
	[/^libcoreclr\.so/, 'dotnet'],
	[/^libpython\d/, 'python'],
	[/^libruby/, 'ruby'],
	[/^libnode\.so/, 'nodejs'],
	[/^libphp\d*\.so/, 'php'],
]

/** By what is mapped. Takes the file paths of /proc/<pid>/maps. 'cpp' only where nothing tells more. */
export function languageOfMaps(paths: Iterable<string>): Language {
	let cpp = false
	for (const path of paths) {
		const name = path.slice(path.lastIndexOf('/') + 1)
		if (!name.startsWith('lib')) continue
		for (const [pattern, language] of LIBRARIES) if (pattern.test(name)) return language
		if (/^libstdc\+\+\.so|^libc\+\+\.so/.test(name)) cpp = true
	}
	return cpp ? 'cpp' : 'generic'
}

/** Runtimes that run a script or module that the user wrote: the service is named after that. */
export function isInterpreter(language: Language, executable: string): boolean {
	switch (language) {
		case 'java':
		case 'nodejs':
		case 'python':
		case 'ruby':
		case 'php':
		case 'dotnet':
			return languageOfName(executable) === language
		default:
			return false
	}
}

export const RUNTIME_NAMES: Readonly<Partial<Record<Language, string>>> = {
	nodejs: 'nodejs',
	python: 'cpython',
	go: 'go',
	dotnet: '.NET',
	erlang: 'BEAM',
}
