/**
 * Where the kernel side hangs (design, section 3), best first. kprobe is the last although it shows a little more than
 * syscall: its returns have room for a few waiting calls only (kretprobe-room.ts), and what waits beyond that is lost.
 */
export const SURFACES = ['tp_btf', 'fexit', 'syscall', 'kprobe'] as const
export type SurfaceName = (typeof SURFACES)[number]
/** The names of docs/kernels.md. */
export const SURFACE_LETTERS: Readonly<Record<SurfaceName, string>> = {
	tp_btf: 'A',
	fexit: 'B',
	kprobe: 'C',
	syscall: 'D',
}
export type StorageName = 'socket' | 'hash'

/** One BPF object: a surface with one form of connection state, for kernels of one age. */
export interface SurfaceForm {
	readonly surface: SurfaceName
	readonly storage: StorageName
	/** Without `.bpf.o`. */
	readonly object: string
	/** Hooks without which it shows nothing. */
	readonly required: readonly string[]
}

const TRACEPOINTS = ['sched_process_exec', 'sched_process_fork', 'sched_process_exit', 'inet_sock_set_state']
const FUNCTIONS = ['tcp_recvmsg', 'tcp_sendmsg']

/** In the order in which they are tried. The `old` ones need neither bpf_loop (5.17) nor memory arguments (5.13). */
export const FORMS: readonly SurfaceForm[] = [
	{
		surface: 'tp_btf',
		storage: 'socket',
		object: 'sock',
		required: ['sock_recv_length', 'sock_send_length', ...TRACEPOINTS],
	},
	{
		surface: 'tp_btf',
		storage: 'hash',
		object: 'sock_hash',
		required: ['sock_recv_length', 'sock_send_length', ...TRACEPOINTS],
	},
	{
		surface: 'fexit',
		storage: 'socket',
		object: 'sock_fexit',
		required: [...FUNCTIONS, ...TRACEPOINTS],
	},
	{
		surface: 'fexit',
		storage: 'hash',
		object: 'sock_fexit_hash',
		required: [...FUNCTIONS, ...TRACEPOINTS],
	},
	{
		surface: 'fexit',
		storage: 'hash',
		object: 'sock_fexit_old',
		required: [...FUNCTIONS, ...TRACEPOINTS],
	},
	{ surface: 'syscall', storage: 'hash', object: 'sock_syscall', required: ['sys_exit', ...TRACEPOINTS] },
	{ surface: 'syscall', storage: 'hash', object: 'sock_syscall_old', required: ['sys_exit', ...TRACEPOINTS] },
	{
		surface: 'kprobe',
		storage: 'hash',
		object: 'sock_kprobe',
		required: [...FUNCTIONS, ...TRACEPOINTS],
	},
	{
		surface: 'kprobe',
		storage: 'hash',
		object: 'sock_kprobe_old',
		required: [...FUNCTIONS, ...TRACEPOINTS],
	},
]

/** What sock_kprobe's five programs are attached to, in this order: the two that every kernel has come last. */
export const KPROBES: readonly (readonly [symbol: string, enter: string, leave: string])[] = [
	['unix_stream_splice_read', 'vor_enter_socket', 'vor_leave_recv'],
	['tcp_splice_read', 'vor_enter_socket', 'vor_leave_recv'],
	['unix_stream_sendpage', 'vor_enter_socket', 'vor_leave_send'],
	['tcp_sendpage', 'vor_enter_sock', 'vor_leave_send'],
	['mptcp_sendmsg', 'vor_enter_sock', 'vor_leave_send'],
	['mptcp_recvmsg', 'vor_enter_sock', 'vor_leave_recv'],
	['tls_sw_sendmsg', 'vor_enter_sock', 'vor_leave_send'],
	['tls_sw_recvmsg', 'vor_enter_sock', 'vor_leave_recv'],
	['tcp_bpf_sendmsg', 'vor_enter_sock', 'vor_leave_send'],
	['unix_stream_sendmsg', 'vor_enter_socket', 'vor_leave_send'],
	['unix_stream_recvmsg', 'vor_enter_socket', 'vor_leave_recv'],
	['tcp_sendmsg', 'vor_enter_tcp_sendmsg', 'vor_leave_send'],
	['tcp_recvmsg', 'vor_enter_sock', 'vor_leave_recv'],
]
