import type { Position } from '../../src/syntax/source.ts'

export function formatLineColumn(at: Position): string {
	return `${at.line}:${at.column}`
}
