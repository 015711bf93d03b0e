/**
 * Every error that a user can meet. `code` is stable (scripts may match it), `fix` is the command or setting that mends
 * it, shown under the message. Foreign errors are normalised at a catch border by `VorError.from`.
 */
const brand = Symbol.for('vor.error')

export type ErrorCode =
	| 'E_USAGE'
	| 'E_CONFIG'
	| 'E_FILE'
	| 'E_PRIVILEGE'
	| 'E_KERNEL'
	| 'E_BPF_LOAD'
	| 'E_LAYOUT'
	| 'E_ADDRESS_IN_USE'
	| 'E_SECOND_INSTANCE'
	| 'E_PID_NAMESPACE'
	| 'E_RECORDING'
	| 'E_EXPORT'
	| 'E_INTERNAL'

export class VorError extends Error {
	readonly code: ErrorCode
	readonly fix: string
	readonly [brand] = true

	constructor(code: ErrorCode, message: string, options: { fix?: string; cause?: unknown } = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause })
		this.name = 'VorError'
		this.code = code
		this.fix = options.fix ?? ''
	}

	static override [Symbol.hasInstance](value: unknown): boolean {
		return typeof value === 'object' && value !== null && brand in value
	}

	/** `reason` itself when it is one of ours, else wrapped with `code`. */
	static from(reason: unknown, code: ErrorCode = 'E_INTERNAL'): VorError {
		if (reason instanceof VorError) return reason
		const message = reason instanceof Error ? reason.message : String(reason)
		return new VorError(code, message, { cause: reason })
	}
}
