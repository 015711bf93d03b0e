// Writes src/capture/layout.gen.ts from the BTF of the BPF object: enum values, struct offsets and sizes, limits, and a
// hash over all of them, so that user space never has a second copy of bpf/events.h.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const OBJECTS = [
	'sock.bpf.o',
	'sock_hash.bpf.o',
	'sock_syscall.bpf.o',
	'sock_fexit.bpf.o',
	'sock_fexit_hash.bpf.o',
	'sock_kprobe.bpf.o',
	'sock_syscall_old.bpf.o',
	'sock_fexit_old.bpf.o',
	'sock_kprobe_old.bpf.o',
]
const TARGET = join(root, 'src/capture/layout.gen.ts')

/** The contract as text: what the hash is over. The same code goes into the generated file, so it is written once. */
const LAYOUT_TEXT = `export function layoutText(btf: BtfLayout): string {
	const ours = <T extends { readonly name: string }>(items: readonly T[]): T[] =>
		items.filter(({ name }) => name.startsWith('vor_')).sort((a, b) => (a.name < b.name ? -1 : 1))
	let text = ''
	for (const { name, size, members } of ours(btf.structs)) {
		text += \`struct \${name} \${size}\\n\`
		for (const member of members) text += \`\\t\${member.name} \${member.offset} \${member.size} \${member.type}\\n\`
	}
	for (const { name, values } of ours(btf.enums)) {
		text += \`enum \${name}\\n\`
		for (const item of values) text += \`\\t\${item.name} \${item.value}\\n\`
	}
	return text
}`

function layoutText(btf) {
	const script = LAYOUT_TEXT.replace('export function', 'return function')
		.replace('(btf: BtfLayout): string', '(btf)')
		.replace('<T extends { readonly name: string }>(items: readonly T[]): T[]', '(items)')
	return new Function(script)()(btf)
}

const hashOf = (btf) => createHash('sha256').update(layoutText(btf)).digest('hex').slice(0, 16)

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())

/** enum vor_http_flags -> HTTP_FLAG; its values lose the prefix they share. */
function enumConst({ name, values }) {
	const prefix = commonPrefix(values.map((value) => value.name))
	const lines = values.map((value) => `\t${value.name.slice(prefix.length)}: ${value.value},`)
	const singular = name.slice('vor_'.length).replace(/s$/, '')
	return `export const ${singular.toUpperCase()} = {\n${lines.join('\n')}\n} as const`
}

function commonPrefix(names) {
	let prefix = names[0] ?? ''
	for (const name of names) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1)
	return prefix.slice(0, prefix.lastIndexOf('_') + 1)
}

/** struct vor_http_record -> httpRecord: its size, and the offset of each member by its C name (one named `size` is `size_`). */
function structConst({ name, size, members }) {
	const lines = members
		.filter((member) => !member.name.startsWith('_pad'))
		.map((member) => `\t${member.name === 'size' ? 'size_' : member.name}: ${member.offset},`)
	return `export const ${camel(name.slice('vor_'.length))} = {\n\tsize: ${size},\n${lines.join('\n')}\n} as const`
}

function methodNames({ values }) {
	const names = []
	for (const value of values) names[value.value] = value.name.slice('VOR_METHOD_'.length)
	return `/** By enum vor_method; OTHER's text travels in the record. */\nexport const METHOD_NAMES = [${names.map((name) => `'${name}'`).join(', ')}] as const`
}

function generate(btf, hash) {
	const enums = btf.enums
		.filter(({ name }) => name.startsWith('vor_'))
		.sort((a, b) => (a.name < b.name ? -1 : 1))
	const structs = btf.structs
		.filter(({ name }) => name.startsWith('vor_'))
		.sort((a, b) => (a.name < b.name ? -1 : 1))
	for (const needed of ['vor_record_kind', 'vor_counter', 'vor_method']) {
		if (!enums.some(({ name }) => name === needed))
			throw new Error(`enum ${needed} is not in the object's BTF`)
	}
	const parts = [
		'// Written by scripts/gen-layout.mjs from the BTF of the BPF object. Do not edit, do not commit.',
		"import type { BtfLayout } from 'bpf-native-loader'",
		'',
		'/** Hash over the layout; an object with another one is refused. */',
		`export const LAYOUT_HASH = '${hash}'`,
		'',
		'/** The contract as text: LAYOUT_HASH is the first 16 hex digits of its sha256. */',
		LAYOUT_TEXT,
		'',
		...enums.flatMap((item) => [enumConst(item), '']),
		methodNames(enums.find(({ name }) => name === 'vor_method')),
		'',
		...structs.flatMap((item) => [structConst(item), '']),
		'/** The same structs in the shape of BTF, for readers that look fields up by name. */',
		`export const RECORD_LAYOUT = ${JSON.stringify({ structs })}`,
		'',
	]
	return `${parts.join('\n').trimEnd()}\n`
}

const { openObject } = createRequire(join(root, 'package.json'))('bpf-native-loader')
const layouts = OBJECTS.map((name) => {
	const object = openObject(join(root, 'bpf/.output', name))
	try {
		return object.btf()
	} finally {
		object.close()
	}
})
const hashes = layouts.map(hashOf)
if (new Set(hashes).size !== 1) throw new Error(`the objects do not share one layout: ${hashes.join(', ')}`)
const text = generate(layouts[0], hashes[0])
let old = ''
try {
	old = readFileSync(TARGET, 'utf8')
} catch (reason) {
	if (reason.code !== 'ENOENT') throw reason
}
if (old !== text) writeFileSync(TARGET, text)
