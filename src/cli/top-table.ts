import type { TopQuantile, TopService, TopSide, TopSnapshot } from '../server/top-snapshot.ts'
import { printable } from '../util/printable.ts'

const header = ['SERVICE', '', 'REQ/S', 'ERRORS', 'P50', 'P95', 'P99', 'TOTAL', 'LANGUAGE']
const leftAligned = new Set([0, 1, 8])

/**
 * The table as lines: two rows a service at most (`in`, `out`), a note for what cannot be read. Cut to `columns`; to
 * `rows` too where that is not 0, and then the last line says how many are hidden.
 */
export function drawTop(snapshot: TopSnapshot, columns: number, rows: number): string[] {
	const body: string[][] = []
	for (const service of snapshot.services) body.push(...serviceRows(service))
	const lines = [summary(snapshot), '']
	if (body.length === 0) {
		lines.push(
			'No HTTP request was seen yet. "npm start -- --demo" also starts three programs that make some.',
		)
	} else {
		const table = align([header, ...body])
		const room = rows === 0 ? table.length : Math.max(2, rows - lines.length - 1)
		lines.push(...table.slice(0, room))
		if (table.length > room) lines.push(`… ${table.length - room} more lines`)
	}
	return lines.map((line) => cut(line, columns))
}

function summary(snapshot: TopSnapshot): string {
	const dropped = snapshot.dropped.filter((entry) => entry.count > 0)
	const lost =
		dropped.length === 0
			? 'nothing dropped'
			: `dropped ${dropped.map(({ reason, count }) => `${group(count)} (${reason})`).join(', ')}`
	const services = `${snapshot.services.length} service${snapshot.services.length === 1 ? '' : 's'}`
	const time = new Date(snapshot.timeMs).toISOString().slice(11, 19)
	return `vor top  ${time} UTC  ${services}  ${group(snapshot.spans)} spans  ${lost}`
}

function serviceRows(service: TopService): string[][] {
	const name = printable(
		service.namespace === '' ? service.service : `${service.namespace}/${service.service}`,
	)
	const rows: string[][] = []
	const row = (label: string, side: TopSide | null) => {
		if (side === null) return
		rows.push([
			rows.length === 0 ? name : '',
			label,
			rate(side.requestsPerSecond),
			percent(side.errorRatio),
			duration(side.p50),
			duration(side.p95),
			duration(side.p99),
			group(side.requests),
			rows.length === 0 ? printable(service.language) : '',
		])
	}
	row('in', service.in)
	row('out', service.out)
	const unreadable = unreadableText(service.unreadable)
	if (unreadable !== '') rows.push([rows.length === 0 ? name : '', `not readable: ${unreadable}`])
	return rows
}

/** `TLS, 214 connections; HTTP/2, 1 connection`. */
export function unreadableText(unreadable: TopService['unreadable']): string {
	return unreadable
		.filter((entry) => entry.connections > 0)
		.map(
			({ protocol, connections }) =>
				`${protocolName(protocol)}, ${group(connections)} connection${connections === 1 ? '' : 's'}`,
		)
		.join('; ')
}

/** Pads columns; a row of two cells is a note that runs over the columns after the first. */
function align(rows: readonly (readonly string[])[]): string[] {
	const widths = header.map((_, column) =>
		Math.max(...rows.map((row) => (row.length === 2 && column > 0 ? 0 : (row[column] ?? '').length))),
	)
	return rows.map((row) =>
		row
			.map((cell, column) =>
				leftAligned.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
			)
			.join('  ')
			.trimEnd(),
	)
}

function protocolName(protocol: string): string {
	if (protocol === 'tls') return 'TLS'
	if (protocol === 'http2') return 'HTTP/2'
	return 'unknown protocol'
}

function cut(line: string, columns: number): string {
	return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`
}

function rate(value: number): string {
	return value >= 100 || value === 0 ? group(Math.round(value)) : value.toFixed(1)
}

function percent(ratio: number): string {
	if (ratio === 0) return '0 %'
	return ratio < 0.01 ? '<1 %' : `${(ratio * 100).toFixed(ratio < 0.1 ? 1 : 0)} %`
}

function duration(value: TopQuantile | null): string {
	if (value === null) return '-'
	const sign = value.place === 'at' ? '' : value.place === 'below' ? '<' : '>'
	return sign + durationText(value.seconds)
}

function durationText(seconds: number): string {
	if (seconds < 1e-3) return `${Math.round(seconds * 1e6)}µs`
	if (seconds < 0.1) return `${Number((seconds * 1e3).toFixed(1))}ms`
	if (seconds < 1) return `${Math.round(seconds * 1e3)}ms`
	return `${Number(seconds.toFixed(1))}s`
}

/** 12345 as 12 345. */
function group(value: number): string {
	return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u00a0')
}
