import type { Type } from './types.ts'

/** What every attribute and block may say about itself, for documentation, completion and warnings. */
export interface FieldInfo {
	readonly doc?: string
	/** What to write instead; using the field gives a warning. */
	readonly deprecated?: string
	/** Known from Alloy and accepted, but without effect yet; using the field gives a warning that names it. */
	readonly notYet?: boolean
}

export interface AttrField<T> {
	readonly kind: 'attr'
	readonly type: Type<T>
	readonly required: boolean
	readonly default: T
	readonly info: FieldInfo
}

/** A block that is always there: written or not, its defaults hold. */
export interface BlockField<T> {
	readonly kind: 'block'
	readonly schema: ArgsSchema<T>
	readonly required: boolean
	readonly info: FieldInfo
}

/** A block whose absence means something: undefined then. */
export interface OptionalBlockField<T> {
	readonly kind: 'optional-block'
	readonly schema: ArgsSchema<T>
	readonly required: false
	readonly info: FieldInfo
}

/** A block that may be repeated. */
export interface BlocksField<T> {
	readonly kind: 'blocks'
	readonly schema: ArgsSchema<T>
	readonly required: boolean
	readonly info: FieldInfo
}

/** A block of free attributes: a map. */
export interface MapBlockField<T> {
	readonly kind: 'map-block'
	readonly type: Type<T>
	readonly required: boolean
	readonly info: FieldInfo
}

/** The label of the block itself; without this field a label is refused. */
export interface LabelField {
	readonly kind: 'label'
	readonly required: false
	readonly info: FieldInfo
}

export type Field =
	| AttrField<unknown>
	| BlockField<unknown>
	| OptionalBlockField<unknown>
	| BlocksField<unknown>
	| MapBlockField<unknown>
	| LabelField

export type Fields = Readonly<Record<string, Field>>

type FieldValue<F> =
	F extends AttrField<infer T>
		? T
		: F extends BlockField<infer T>
			? T
			: F extends OptionalBlockField<infer T>
				? T | undefined
				: F extends BlocksField<infer T>
					? readonly T[]
					: F extends MapBlockField<infer T>
						? Readonly<Record<string, T>>
						: F extends LabelField
							? string
							: never

export type ArgsOfFields<F extends Fields> = { readonly [K in keyof F]: FieldValue<F[K]> }
export type ArgsOf<S> = S extends ArgsSchema<infer T> ? T : never

/**
 * The arguments of a component or of a nested block. Static type, decoding, defaults, checks, documentation and completion
 * all come from it. The keys of `fields` are the names in the file, in the order in which missing ones are reported.
 */
export interface ArgsSchema<T> {
	readonly fields: Fields
	/** Says what is wrong with decoded arguments, in Alloy's words; undefined when nothing is. */
	validate?(args: T): string | undefined
	defaults(): T
}

export interface AttrOptions<T> extends FieldInfo {
	readonly required?: boolean
	readonly default?: T
}

export function attr<T>(type: Type<T>, options: AttrOptions<NoInfer<T>> = {}): AttrField<T> {
	return {
		kind: 'attr',
		type,
		required: options.required ?? false,
		default: options.default ?? type.zero,
		info: options,
	}
}

export interface BlockOptions extends FieldInfo {
	readonly required?: boolean
}

export function block<const F extends Fields>(fields: F, options?: BlockOptions): BlockField<ArgsOfFields<F>>
export function block<T>(schema: ArgsSchema<T>, options?: BlockOptions): BlockField<T>
export function block(from: Fields | ArgsSchema<unknown>, options: BlockOptions = {}): BlockField<unknown> {
	return { kind: 'block', schema: schemaOf(from), required: options.required ?? false, info: options }
}

export function optionalBlock<const F extends Fields>(
	fields: F,
	options?: FieldInfo,
): OptionalBlockField<ArgsOfFields<F>>
export function optionalBlock<T>(schema: ArgsSchema<T>, options?: FieldInfo): OptionalBlockField<T>
export function optionalBlock(
	from: Fields | ArgsSchema<unknown>,
	options: FieldInfo = {},
): OptionalBlockField<unknown> {
	return { kind: 'optional-block', schema: schemaOf(from), required: false, info: options }
}

export function blocks<const F extends Fields>(
	fields: F,
	options?: BlockOptions,
): BlocksField<ArgsOfFields<F>>
export function blocks<T>(schema: ArgsSchema<T>, options?: BlockOptions): BlocksField<T>
export function blocks(from: Fields | ArgsSchema<unknown>, options: BlockOptions = {}): BlocksField<unknown> {
	return { kind: 'blocks', schema: schemaOf(from), required: options.required ?? false, info: options }
}

export function mapBlock<T>(type: Type<T>, options: BlockOptions = {}): MapBlockField<T> {
	return { kind: 'map-block', type, required: options.required ?? false, info: options }
}

export const label = (info: FieldInfo = {}): LabelField => ({ kind: 'label', required: false, info })

export interface SchemaOptions<T> {
	validate?(args: T): string | undefined
}

export function defineArgs<const F extends Fields>(
	fields: F,
	options: SchemaOptions<ArgsOfFields<F>> = {},
): ArgsSchema<ArgsOfFields<F>> {
	return {
		...options,
		fields,
		defaults: () => defaultsOf(fields) as ArgsOfFields<F>,
	}
}

const isSchema = (from: Fields | ArgsSchema<unknown>): from is ArgsSchema<unknown> =>
	'defaults' in from && typeof from.defaults === 'function'

function schemaOf(from: Fields | ArgsSchema<unknown>): ArgsSchema<unknown> {
	return isSchema(from) ? from : defineArgs(from)
}

export function defaultsOf(fields: Fields): Record<string, unknown> {
	const out: Record<string, unknown> = {}
	for (const [name, field] of Object.entries(fields)) out[name] = defaultOf(field)
	return out
}

function defaultOf(field: Field): unknown {
	switch (field.kind) {
		case 'attr':
			return field.default
		case 'block':
			return field.schema.defaults()
		case 'optional-block':
			return undefined
		case 'blocks':
			return []
		case 'map-block':
			return {}
		case 'label':
			return ''
	}
}

/** What a component exports, by name. */
export interface ExportsSchema<T> {
	readonly fields: Readonly<Record<string, Type<unknown>>>
	/** Only for the static type. */
	readonly sample?: T
}

type ExportsOfFields<F> = { readonly [K in keyof F]: F[K] extends Type<infer T> ? T : never }

export function defineExports<const F extends Readonly<Record<string, Type<unknown>>>>(
	fields: F,
): ExportsSchema<ExportsOfFields<F>> {
	return { fields }
}
