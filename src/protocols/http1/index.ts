import type { Protocol } from '../common/protocol.ts'
import { createHttp1Parser } from './parse.ts'
import { createHttp1Semconv } from './semconv.ts'

export const http1: Protocol = {
	name: 'http1',
	createParser: createHttp1Parser,
	createSemconv: createHttp1Semconv,
}
