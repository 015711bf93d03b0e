import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VorError } from '../util/errors.ts'

/** The folder of the package's package.json: the same for a run of src/ and of dist/. */
export function packageRoot(): string {
	let folder = dirname(fileURLToPath(import.meta.url))
	while (!existsSync(join(folder, 'package.json'))) {
		const parent = dirname(folder)
		if (parent === folder) throw new VorError('E_INTERNAL', 'package.json not found above this module')
		folder = parent
	}
	return folder
}

/** Path of a built BPF object, `name` without `.bpf.o`. */
export function objectPath(name: string): string {
	const path = join(packageRoot(), 'bpf', '.output', `${name}.bpf.o`)
	if (!existsSync(path)) {
		throw new VorError('E_FILE', `the BPF object ${path} is missing`, { fix: 'npm run build:bpf' })
	}
	return path
}
