import { type DestinationStream, type Logger as Pino, pino } from 'pino'
import { type LogFields, logfmtPair } from './logfmt.ts'

export type { LogFields, LogValue } from './logfmt.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFormat = 'logfmt' | 'json'

/** Messages are constant strings; what varies goes into the fields. */
export interface Logger {
	debug(message: string, fields?: LogFields): void
	info(message: string, fields?: LogFields): void
	warn(message: string, fields?: LogFields): void
	error(message: string, fields?: LogFields): void
	/** The same log with fields on every line, e.g. `{ component_path: '/', component_id: 'beyla.ebpf.x' }`. */
	child(fields: LogFields): Logger
}

/** The log of the process: the `logging` block may change level and format while it runs, children follow. */
export interface RootLogger extends Logger {
	setLevel(level: LogLevel): void
	setFormat(format: LogFormat): void
}

export interface LogOptions {
	/** Default info. */
	readonly level?: LogLevel
	/** Default logfmt. */
	readonly format?: LogFormat
	/** Default stderr, written synchronously: a line is never lost at exit. */
	readonly write?: (line: string) => void
}

/** A log in Alloy's form: `ts=… level=info msg="…" key=value`. */
export function createLog(options: LogOptions = {}): RootLogger {
	const write = options.write ?? ((line: string) => void process.stderr.write(line))
	let format = options.format ?? 'logfmt'
	let level = severity[options.level ?? 'info']
	const destination: DestinationStream = {
		write: (line) => write(format === 'json' ? line : toLogfmt(line)),
	}
	const root = pino(
		{
			// The level is checked in `emit`, so that children made earlier follow a change of it.
			level: 'debug',
			base: null,
			messageKey: 'msg',
			timestamp: () => `,"ts":"${timestamp()}"`,
			formatters: { level: (label) => ({ level: label }) },
		},
		destination,
	)
	const logger = wrap(root, (name) => severity[name] >= level)
	return Object.assign(logger, {
		setLevel: (next: LogLevel) => void (level = severity[next]),
		setFormat: (next: LogFormat) => void (format = next),
	})
}

const severity: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 }

function wrap(target: Pino, enabled: (level: LogLevel) => boolean): Logger {
	const emit = (level: LogLevel) => (message: string, fields?: LogFields) => {
		if (!enabled(level)) return
		if (fields === undefined) target[level](message)
		else target[level](plain(fields), message)
	}
	return {
		debug: emit('debug'),
		info: emit('info'),
		warn: emit('warn'),
		error: emit('error'),
		child: (fields) => wrap(target.child(plain(fields)), enabled),
	}
}

/** Errors become their message, absent fields vanish, and no field takes the place of ts, level or msg. */
function plain(fields: LogFields): Record<string, unknown> {
	const result: Record<string, unknown> = {}
	for (const [key, value] of Object.entries(fields)) {
		if (value === undefined) continue
		const name = key === 'ts' || key === 'level' || key === 'msg' ? `${key}_` : key
		result[name] = value instanceof Error ? value.message : value
	}
	return result
}

/** Microseconds; Node's clock does not give more. */
function timestamp(): string {
	const now = performance.timeOrigin + performance.now()
	const micros = Math.floor((now % 1) * 1000)
	return `${new Date(now).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`
}

function toLogfmt(line: string): string {
	const record = JSON.parse(line) as Record<string, string | number | boolean | null>
	const { ts, level, msg, ...rest } = record
	const parts = [logfmtPair('ts', ts), logfmtPair('level', level), logfmtPair('msg', msg ?? '')]
	for (const [key, value] of Object.entries(rest)) parts.push(logfmtPair(key, value))
	return `${parts.join(' ')}\n`
}
