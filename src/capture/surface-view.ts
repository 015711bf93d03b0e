/** What an attach surface shows of each way that bytes take. Held against real kernels by test/vm and test/kernel. */
export interface SurfaceView {
	readonly path: string
	readonly seen: Seen
	readonly note: string
	/** Which of the tests' ways and families it speaks of; none = what no surface reads. */
	readonly ways: readonly string[]
	readonly families: readonly ('tcp' | 'unix')[]
}

/** seen: heads and bodies. bytes only: bodies of a known length, counted. not seen: absent, or marked as not exact. */
export type Seen = 'seen' | 'bytes only' | 'not seen'

type Path = Omit<SurfaceView, 'seen' | 'note'>

const BOTH = ['tcp', 'unix'] as const

/** The rows. What every surface shows comes first, what none does last. */
const CALLS: Path = {
	path: 'read, write, recv, send and their vectors',
	ways: ['write', 'writev', 'send'],
	families: BOTH,
}
const MESSAGES: Path = {
	path: 'recvmsg, sendmsg, recvmmsg, sendmmsg',
	ways: ['sendmsg', 'sendmmsg'],
	families: BOTH,
}
const UNIX: Path = {
	path: 'unix stream sockets',
	ways: ['write', 'writev', 'send', 'sendmsg', 'sendmmsg'],
	families: ['unix'],
}
const FILES: Path = {
	path: 'sendfile, splice into a socket',
	ways: ['sendfile', 'splice-in'],
	families: ['tcp'],
}
const UNIX_FILES: Path = {
	path: 'sendfile, splice into a unix socket',
	ways: ['sendfile', 'splice-in'],
	families: ['unix'],
}
const SPLICE_OUT: Path = { path: 'splice out of a socket', ways: ['splice-out'], families: BOTH }
const IO_URING: Path = { path: 'io_uring', ways: ['io_uring'], families: BOTH }
const KERNEL_TLS: Path = { path: 'kernel TLS', ways: ['ktls'], families: ['tcp'] }
const USER_TLS: Path = { path: 'TLS in user space', ways: [], families: [] }
const HTTP2: Path = { path: 'HTTP/2', ways: [], families: [] }

const seen = (path: Path, note = ''): SurfaceView => ({ ...path, seen: 'seen', note })
const bytes = (path: Path, note = 'bodies are counted; a head sent so is not read'): SurfaceView => ({
	...path,
	seen: 'bytes only',
	note,
})
const unseen = (path: Path, note: string): SurfaceView => ({ ...path, seen: 'not seen', note })

const FIRST = [seen(CALLS), seen(MESSAGES), seen(UNIX)]
const LAST = [USER_TLS, HTTP2].map((path) => unseen(path, 'recognised and counted as unreadable'))
const PLAIN_TEXT = 'plain text at this level'
const PIPES = 'proxies that splice (HAProxy with splice)'

const VIEWS: Readonly<Record<string, readonly SurfaceView[]>> = {
	tp_btf: [
		bytes(FILES),
		bytes(UNIX_FILES),
		unseen(SPLICE_OUT, PIPES),
		bytes(IO_URING),
		seen(KERNEL_TLS, PLAIN_TEXT),
	],
	fexit: [
		bytes(FILES),
		bytes(UNIX_FILES),
		bytes(SPLICE_OUT),
		bytes(IO_URING),
		unseen(KERNEL_TLS, 'its functions are those of a module'),
	],
	fexit_old: [
		bytes(FILES),
		unseen(UNIX_FILES, 'from 5.17 on'),
		unseen(SPLICE_OUT, PIPES),
		bytes(IO_URING),
		unseen(KERNEL_TLS, 'its functions are those of a module'),
	],
	kprobe: [
		bytes(FILES),
		bytes(UNIX_FILES),
		bytes(SPLICE_OUT),
		unseen(IO_URING, 'bytes are counted where the kernel does them in the same call'),
		seen(KERNEL_TLS, PLAIN_TEXT),
	],
	syscall: [
		bytes(FILES),
		bytes(UNIX_FILES),
		bytes(SPLICE_OUT),
		unseen(IO_URING, 'it makes no system call for each request'),
		seen(KERNEL_TLS, PLAIN_TEXT),
	],
}

/** What the surface that is used shows; `form` is the name of its BPF object. */
export function surfaceView(surface: string, form = ''): readonly SurfaceView[] {
	const view = (form.endsWith('_old') ? VIEWS[`${surface}_old`] : undefined) ?? VIEWS[surface]
	return view === undefined ? [] : [...FIRST, ...view, ...LAST]
}
