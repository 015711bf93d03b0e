// The columns of the matrix: attach surfaces of the product, each with the BPF object it loads.
export const SURFACES = [
	{ surface: 'tp_btf', storage: 'socket', object: 'sock', title: 'A tp_btf' },
	{ surface: 'tp_btf', storage: 'hash', object: 'sock_hash', title: 'A, state in the hash' },
	{ surface: 'fexit', storage: 'auto', object: 'sock_fexit', title: 'B fexit' },
	{ surface: 'fexit', storage: 'hash', object: 'sock_fexit_hash', title: 'B, state in the hash' },
	{ surface: 'kprobe', storage: 'auto', object: 'sock_kprobe', title: 'C kprobe' },
	{ surface: 'syscall', storage: 'auto', object: 'sock_syscall', title: 'D syscall' },
]

/** The first row must be seen on TCP and unix by every surface; the others are what the table surface × path tells. */
export const WAYS = [
	...['write', 'writev', 'send', 'sendmsg', 'sendmmsg'],
	...['sendfile', 'splice-in', 'splice-out', 'io_uring', 'ktls'],
]
export const QUICK_WAYS = ['write', 'writev', 'send', 'sendmsg', 'sendmmsg']
export const FAMILIES = ['tcp4', 'tcp6', 'unix']
export const QUICK_FAMILIES = ['tcp4', 'unix']

/** Most instructions that the verifier walks in one program. */
export const INSTRUCTION_LIMIT = 1_000_000
