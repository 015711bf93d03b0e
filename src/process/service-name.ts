import type { Language, ServiceNameSource } from '../model/process-fact.ts'
import { isInterpreter } from './language.ts'
import type { OtelEnvironment } from './otel-env.ts'
import { findScript } from './script.ts'

export interface NamingInput {
	readonly otel: OtelEnvironment
	/** From the selection entry that matched, '' = none. */
	readonly configuredName: string
	readonly language: Language
	/** Resolved path, or what was given to execve. */
	readonly executable: string
	readonly commandLine: readonly string[]
	/** `name` of the package.json nearest to the script, '' = none or not looked yet. */
	readonly packageName: string
	readonly comm: string
}

/** `service.name` by the first source that has one. */
export function nameService(input: NamingInput): { name: string; source: ServiceNameSource } {
	if (input.otel.serviceName !== '') return { name: input.otel.serviceName, source: 'OTEL_SERVICE_NAME' }
	const attribute = input.otel.resourceAttributes['service.name']
	if (attribute) return { name: attribute, source: 'OTEL_RESOURCE_ATTRIBUTES' }
	if (input.configuredName !== '') return { name: input.configuredName, source: 'configuration' }
	if (isInterpreter(input.language, input.executable)) {
		if (input.packageName !== '') return { name: input.packageName, source: 'package' }
		const name = ofTitle(input.commandLine) ?? findScript(input.language, input.commandLine)?.name
		if (name !== undefined && name !== '') return { name, source: 'script' }
	}
	const executable = baseName(input.executable)
	// A program that runs from memory has no file name: memfd names are chosen at random as often as not.
	if (executable !== '' && !executable.startsWith('memfd:')) return { name: executable, source: 'executable' }
	return { name: input.comm === '' ? 'unknown_service' : input.comm, source: 'comm' }
}

/** Servers that write over their argv: `gunicorn: master [shop:app]`, `puma 6.4 (tcp://0.0.0.0:80) [shop]`. */
function ofTitle(commandLine: readonly string[]): string | undefined {
	const title = commandLine[0] ?? ''
	const gunicorn = /^gunicorn: \w+ \[([^\]]+)\]/.exec(title)
	if (gunicorn !== null) return (gunicorn[1] as string).replace(/:.*$/, '').replace(/\.[aw]sgi$/, '')
	return /^puma[ :].*\[([^\]]+)\]/.exec(title)?.[1]
}

export function baseName(path: string): string {
	const clean = path.endsWith(' (deleted)') ? path.slice(0, -10) : path
	return clean.slice(clean.lastIndexOf('/') + 1)
}
