// Loads what one surface needs, as the product does, and tells what the verifier made of it.
import { execFileSync } from 'node:child_process'
import { loadKernelObject } from '../../../dist/capture/kernel-object.js'
import { objectPath } from '../../../dist/capture/paths.js'

const INSNS = '/bin/mix-insns'
const LOG_LINES = 25

/**
 * One of
 *   { loaded: { surface, storage, missingHooks, programs: [{ name, section, instructions, jitedBytes }] } }
 *   { refused: { code, message, errno, log } }      the kernel said no
 *   { absent: reason }                              this build has no such surface
 */
export async function load({ surface, storage, object }) {
	try {
		objectPath(object)
	} catch {
		return { absent: `bpf/.output/${object}.bpf.o is not built` }
	}
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
		if (programs.every((program) => program.instructions === 0)) countByLog(objectPath(object), programs)
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
