import { DEFAULT_RING_BYTES } from '../../../capture/options.ts'
import { attr, block, defineArgs } from '../../../eval/args.ts'
import { bool, enumOf } from '../../../eval/types.ts'
import { byteSize } from '../../common/bytes.ts'
import { recordConsumers } from '../../common/capsules.ts'
import { discoveryBlock } from '../../common/discovery-args.ts'

export const args = defineArgs(
	{
		ring_size: attr(byteSize, {
			default: DEFAULT_RING_BYTES,
			doc: 'Size of the ring buffer between kernel and Vör: a power of two, 64KiB or more. When it is full, spans are lost and counted; RED metrics stay exact.',
		}),
		surface: attr(enumOf(['auto', 'tp_btf', 'fexit', 'kprobe', 'syscall']), {
			default: 'auto',
			doc: 'Where the programs hang in the kernel: socket tracepoints (`tp_btf`), returns of kernel functions (`fexit`, or `kprobe`), or the ends of system calls (`syscall`). `auto` takes the first of `tp_btf`, `fexit`, `syscall`, `kprobe` that the kernel allows.',
		}),
		storage: attr(enumOf(['auto', 'socket', 'hash']), {
			default: 'auto',
			doc: 'Where the kernel keeps connection state: on the socket, or in a table. `auto` takes what the kernel allows.',
		}),
		unix_sockets: attr(bool, { default: true, doc: 'Watch unix stream sockets too.' }),
		discovery: discoveryBlock,
		output: block(
			{ records: attr(recordConsumers, { required: true, doc: 'Inputs of `ebpf.decode`.' }) },
			{ required: true },
		),
	},
	{
		validate: ({ ring_size: size }) =>
			size < 64 * 1024 || (size & (size - 1)) !== 0 || size > 1024 ** 3
				? `ring_size must be a power of two from "64KiB" to "1GiB", got ${size} bytes`
				: undefined,
	},
)
