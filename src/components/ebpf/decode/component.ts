import { RECORD_LAYOUT } from '../../../capture/layout.ts'
import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { fanOutExchanges } from '../../../flow/fan-out.ts'
import type { RecordConsumer } from '../../../flow/ports.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import { createProtocolDecoder } from '../../../protocols/index.ts'
import { present, recordConsumer } from '../../common/capsules.ts'
import { createOutlet } from '../../common/outlet.ts'
import { args as schema } from './args.ts'
import { metadata } from './metadata.ts'

type Args = ArgsOf<typeof schema>

export const defineDecode = (): ComponentDefinition<
	Args,
	{ readonly input: RecordConsumer | undefined }
> => ({
	name: 'ebpf.decode',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ input: recordConsumer }),
	metadata,
	build(options, args) {
		const decoder = createProtocolDecoder(RECORD_LAYOUT, options.accounting.meter(options.path, options.id))
		const outlet = createOutlet('exchanges', options.live)
		outlet.wire(fanOutExchanges(present(args.output.exchanges)))
		const records: RecordConsumer['records'] = {
			next: (batch) => outlet.next(decoder.decode(batch)),
			error: outlet.error,
			complete: outlet.complete,
		}
		options.onStateChange({ input: { kind: 'records', owner: options.id, mutates: false, records } })
		return {
			update(next) {
				outlet.wire(fanOutExchanges(present(next.output.exchanges)))
				return undefined
			},
			async stop() {},
		}
	},
})
