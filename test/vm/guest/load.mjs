// Loads what one surface needs, as the product does, and tells what the verifier made of it.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { openObject, probeFeature } from 'bpf-native-loader'
import { loadKernelObject } from '../../../dist/capture/kernel-object.js'
import { objectPath } from '../../../dist/capture/paths.js'

const INSNS = '/bin/mix-insns'
const LOG_LINES = 25

/**
 * One of
 *   { loaded: { surface, storage, missingHooks, programs: [{ name, section, instructions, jitedBytes }] } }
 *   { refused: { code, message, errno, log } }      the kernel said no
 *   { raw: { programs, refusals } }                 the object is built, the product cannot choose it yet: loaded as it is
 *   { absent: reason }                              this build has no such surface
 */
export async function load({ surface, storage, object }) {
	try {
		objectPath(object)
	} catch {
		return { absent: `bpf/.output/${object}.bpf.o is not built` }
	}
	if (!isKnown(object)) return { raw: await loadRaw(objectPath(object)) }
	let kernel
	try {
		kernel = await loadKernelObject({ surface, storage })
	} catch (reason) {
		return { refused: describe(reason) }
	}
	try {
		// A build that does not know the option takes the surface that it likes.
		if (kernel.surface !== surface) return { absent: `this build chose ${kernel.surface} instead` }
		const missing = new Set(kernel.missingHooks)
		const programs = kernel.object.programs
			.filter(({ name, section }) => isLoaded(kernel.object, name) && !missing.has(section.split('/')[1]))
			.map(({ name, section }) => {
				const { verifiedInstructions, jitedBytes } = kernel.object.program(name).stats()
				return { name, section, instructions: verifiedInstructions, jitedBytes }
			})
		if (programs.every((program) => program.instructions === 0)) countByLog(objectPath(kernel.form), programs)
		return {
			loaded: { surface, storage: kernel.storage, missingHooks: [...kernel.missingHooks], programs },
		}
	} finally {
		kernel.object.close()
	}
}

function isLoaded(object, name) {
	try {
		return object.program(name).id > 0
	} catch {
		return false
	}
}

/** The product's capture names every object that it can choose. */
function isKnown(object) {
	const folder = new URL('../../../dist/capture/', import.meta.url)
	const names = new RegExp(`['"\`/]${object}['"\`.]`)
	return readdirSync(folder).some(
		(file) => file.endsWith('.js') && names.test(readFileSync(new URL(file, folder), 'utf8')),
	)
}

/** Every program that has its hook here; a refused one is noted and left out, until the rest loads. */
async function loadRaw(path) {
	const refusals = []
	const left = new Set()
	for (;;) {
		const object = openObject(path)
		try {
			for (const program of object.programs) {
				const hook = hookOf(program.section)
				if (left.has(program.name) || (hook !== undefined && !(await probeFeature(hook)).supported))
					object.setAutoload(program.name, false)
			}
			await object.load()
			const programs = object.programs
				.filter(({ name }) => isLoaded(object, name))
				.map(({ name, section }) => {
					const { verifiedInstructions, jitedBytes } = object.program(name).stats()
					return { name, section, instructions: verifiedInstructions, jitedBytes }
				})
			if (programs.every((program) => program.instructions === 0)) countByLog(path, programs)
			return { programs, refusals }
		} catch (reason) {
			const refused = describe(reason)
			refusals.push(refused)
			if (refused.program === '' || left.has(refused.program)) return { programs: [], refusals }
			left.add(refused.program)
		} finally {
			object.close()
		}
	}
}

function hookOf(section) {
	const [kind, name] = section.split('/')
	if (kind === 'tp_btf') return { kind, name }
	return kind === 'fexit' || kind === 'fentry' ? { kind: 'fentry', name } : undefined
}

/** Kernels before 5.16 do not keep the count. */
function countByLog(path, programs) {
	let output = ''
	try {
		output = execFileSync(INSNS, [path, ...programs.map(({ name }) => name)], { encoding: 'utf8' })
	} catch (reason) {
		output = reason.stdout ?? ''
	}
	const counts = new Map(output.split('\n').map((line) => line.split(' ')))
	for (const program of programs) program.instructions = Number(counts.get(program.name) ?? 0)
}

export function describe(reason) {
	const bpf = reason?.cause?.log !== undefined ? reason.cause : reason
	return {
		code: reason?.code ?? '',
		errno: bpf?.errno ?? '',
		program: bpf?.subject ?? '',
		message: reason?.message ?? String(reason),
		stack: reason?.stack ?? '',
		log: (bpf?.log ?? '').trimEnd().split('\n').slice(-LOG_LINES).join('\n'),
	}
}
