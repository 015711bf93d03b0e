export interface SurfaceView {
	readonly path: string
	readonly seen: 'seen' | 'bytes only' | 'not seen'
	readonly note: string
}
/** What surface A shows of each way that bytes take. Held against the real kernel by test/kernel. */
export const SURFACE_VIEW: readonly SurfaceView[] = [
	{ path: 'read, write, recv, send and their vectors', seen: 'seen', note: '' },
	{ path: 'recvmsg, sendmsg, recvmmsg, sendmmsg', seen: 'seen', note: '' },
	{ path: 'unix stream sockets', seen: 'seen', note: '' },
	{
		path: 'sendfile, splice into a socket',
		seen: 'bytes only',
		note: 'bodies are counted; a head sent so is not read',
	},
	{ path: 'splice out of a socket', seen: 'not seen', note: 'proxies that splice (HAProxy with splice)' },
	{ path: 'io_uring', seen: 'bytes only', note: 'bodies are counted; a head sent so is not read' },
	{ path: 'kernel TLS', seen: 'seen', note: 'plain text at this level' },
	{ path: 'TLS in user space', seen: 'not seen', note: 'recognised and counted as unreadable' },
	{ path: 'HTTP/2', seen: 'not seen', note: 'recognised and counted as unreadable' },
]

/** What holds on the other surfaces as well; the rest differs from kernel to kernel (docs/kernels.md). */
const EVERYWHERE = new Set([
	'read, write, recv, send and their vectors',
	'recvmsg, sendmsg, recvmmsg, sendmmsg',
	'unix stream sockets',
	'TLS in user space',
	'HTTP/2',
])

/** What the surface that is used shows. */
export function surfaceView(surface: string): readonly SurfaceView[] {
	if (surface === '' || surface === 'tp_btf') return surface === '' ? [] : SURFACE_VIEW
	return SURFACE_VIEW.filter(({ path }) => EVERYWHERE.has(path)).concat(
		surface === 'syscall'
			? { path: 'io_uring', seen: 'not seen', note: 'it makes no system call for each request' }
			: [],
		{
			path: 'sendfile, splice, kernel TLS',
			seen: 'bytes only',
			note: 'at most; docs/kernels.md has what was measured',
		},
	)
}
