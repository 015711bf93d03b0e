/** What Go's os package says of a failed file operation; Alloy's users match these texts. */
export function goFileError(reason: unknown): string {
	const error = reason as NodeJS.ErrnoException
	const text = texts[error.code ?? '']
	if (error.path === undefined || text === undefined) return error.message
	const operation = error.code === 'EISDIR' ? 'read' : (error.syscall ?? 'open')
	return `${operation} ${error.path}: ${text}`
}

const texts: Readonly<Record<string, string>> = {
	ENOENT: 'no such file or directory',
	EACCES: 'permission denied',
	EPERM: 'operation not permitted',
	EISDIR: 'is a directory',
	ENOTDIR: 'not a directory',
	ELOOP: 'too many levels of symbolic links',
	ENAMETOOLONG: 'file name too long',
	EMFILE: 'too many open files',
}
