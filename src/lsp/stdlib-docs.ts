/** Signature and meaning of what the standard library has, by full name. */
export const STDLIB_DOCS: Readonly<Record<string, { readonly signature: string; readonly doc: string }>> = {
	'constants.hostname': { signature: 'string', doc: 'Name of this host.' },
	'constants.os': { signature: 'string', doc: 'Operating system: `linux`.' },
	'constants.arch': { signature: 'string', doc: 'Architecture, as Go names it: `amd64`, `arm64`.' },
	'constants.version': { signature: 'string', doc: 'Version of Vör.' },
	module_path: { signature: 'string', doc: 'Folder of the file or module that this stands in.' },
	coalesce: {
		signature: 'coalesce(value, …)',
		doc: 'The first value that is neither zero nor empty, else the last.',
	},
	json_path: { signature: 'json_path(json, path) list', doc: 'What a JSONPath finds in a JSON text.' },
	'sys.env': { signature: 'sys.env(name) string', doc: 'An environment variable, `""` when it is not set.' },
	'convert.nonsensitive': { signature: 'convert.nonsensitive(secret) string', doc: 'The text of a secret.' },
	'array.concat': { signature: 'array.concat(list, …) list', doc: 'All elements of all lists.' },
	'array.combine_maps': {
		signature: 'array.combine_maps(list(map), list(map), list(key)[, passthrough]) list(map)',
		doc: 'Joins two lists of maps by keys. Experimental.',
	},
	'array.group_by': {
		signature: 'array.group_by(list(map), key, drop_missing) list(object)',
		doc: 'Groups maps by the value of a key. Experimental.',
	},
	'encoding.from_json': {
		signature: 'encoding.from_json(text) any',
		doc: 'The value a JSON text stands for.',
	},
	'encoding.from_yaml': {
		signature: 'encoding.from_yaml(text) any',
		doc: 'The value a YAML text stands for.',
	},
	'encoding.to_json': { signature: 'encoding.to_json(object) string', doc: 'An object as JSON text.' },
	'encoding.from_base64': { signature: 'encoding.from_base64(text) string', doc: 'Decodes base64.' },
	'encoding.from_URLbase64': {
		signature: 'encoding.from_URLbase64(text) string',
		doc: 'Decodes base64 of the URL alphabet.',
	},
	'encoding.to_base64': { signature: 'encoding.to_base64(text) string', doc: 'Encodes as base64.' },
	'encoding.to_URLbase64': {
		signature: 'encoding.to_URLbase64(text) string',
		doc: 'Encodes as base64 of the URL alphabet.',
	},
	'encoding.url_encode': { signature: 'encoding.url_encode(text) string', doc: 'Escapes for a URL’s query.' },
	'encoding.url_decode': { signature: 'encoding.url_decode(text) string', doc: 'Undoes `url_encode`.' },
	'string.format': {
		signature: 'string.format(format, value, …) string',
		doc: 'Fills `%s`, `%d`, `%v` and the other verbs of Go.',
	},
	'string.join': { signature: 'string.join(list, separator) string', doc: 'Texts with a separator between.' },
	'string.split': { signature: 'string.split(text, separator) list', doc: 'Cuts a text at a separator.' },
	'string.replace': { signature: 'string.replace(text, old, new) string', doc: 'Replaces every occurrence.' },
	'string.to_lower': { signature: 'string.to_lower(text) string', doc: 'In small letters.' },
	'string.to_upper': { signature: 'string.to_upper(text) string', doc: 'In capital letters.' },
	'string.trim': { signature: 'string.trim(text, characters) string', doc: 'Without these at both ends.' },
	'string.trim_prefix': { signature: 'string.trim_prefix(text, prefix) string', doc: 'Without a prefix.' },
	'string.trim_suffix': { signature: 'string.trim_suffix(text, suffix) string', doc: 'Without a suffix.' },
	'string.trim_space': {
		signature: 'string.trim_space(text) string',
		doc: 'Without white space at both ends.',
	},
	'file.path_join': { signature: 'file.path_join(part, …) string', doc: 'Parts of a path, joined.' },
}
