import type { ActiveSpan } from '../telemetry/tracer.ts'
import { hideLogin } from '../util/hide-login.ts'
import type { ImportRequest } from './import-source.ts'

/** Where a module comes from, as a trace may show it: without users, passwords and queries. */
export function originOf(request: Exclude<ImportRequest, { kind: 'import.string' }>): string {
	switch (request.kind) {
		case 'import.file':
			return request.filename
		case 'import.http':
			return withoutSecrets(request.url)
		case 'import.git':
			return withoutSecrets(request.repository)
	}
}

/** A server that is asked for a module may go on with our trace. */
export function asPartOf(request: ImportRequest, span: ActiveSpan | undefined): ImportRequest {
	if (request.kind !== 'import.http' || span?.traceparent === undefined) return request
	return { ...request, headers: { ...request.headers, traceparent: span.traceparent } }
}

const withoutSecrets = (address: string): string => hideLogin(address).replace(/[?#].*$/, '')
