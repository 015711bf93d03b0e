// Archives in the form that the kernel unpacks as its first file system ("newc").
import { readFileSync } from 'node:fs'

const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 }

/** Padded to 512 bytes: archives may follow one another in one image. */
export function createArchive() {
	const parts = []
	const folders = new Set([''])
	let size = 0
	let inode = 1

	const push = (bytes) => {
		parts.push(bytes)
		size += bytes.length
		const padding = (4 - (size % 4)) % 4
		if (padding > 0) parts.push(Buffer.alloc(padding))
		size += padding
	}

	function entry(path, mode, data, device = [0, 0]) {
		const name = Buffer.from(`${path}\0`)
		const fields = [inode++, mode, 0, 0, 1, 0, data.length, 0, 0, ...device, name.length, 0]
		const head = fields.map((field) => field.toString(16).padStart(8, '0')).join('')
		push(Buffer.concat([Buffer.from(`070701${head}`), name]))
		push(data)
	}

	function folder(path) {
		if (folders.has(path)) return
		folder(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
		folders.add(path)
		entry(path, TYPE.folder | 0o755, Buffer.alloc(0))
	}

	/** Paths are absolute in the guest. */
	const into = (path, mode, data, device) => {
		const relative = path.replace(/^\/+/, '')
		folder(relative.slice(0, Math.max(0, relative.lastIndexOf('/'))))
		entry(relative, mode, data, device)
	}
	return {
		folder: (path) => folder(path.replace(/^\/+/, '')),
		file: (path, source, mode = 0o755) => into(path, TYPE.file | mode, readFileSync(source)),
		text: (path, text, mode = 0o644) => into(path, TYPE.file | mode, Buffer.from(text)),
		link: (path, target) => into(path, TYPE.link | 0o777, Buffer.from(target)),
		device: (path, major, minor) => into(path, TYPE.device | 0o600, Buffer.alloc(0), [major, minor]),
		/** The whole archive as a list of buffers. */
		end() {
			entry('TRAILER!!!', 0, Buffer.alloc(0))
			parts.push(Buffer.alloc((512 - (size % 512)) % 512))
			return parts
		},
	}
}
