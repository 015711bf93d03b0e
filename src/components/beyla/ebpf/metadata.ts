import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: "The whole line from socket to spans and RED metrics in one block, with Alloy's arguments.",
	docs: `Runs \`ebpf.ringbuf\`, \`ebpf.decode\`, \`ebpf.correlate\`, \`ebpf.propagate\` and \`ebpf.aggregate\` inside. As in
Alloy, a block without \`discovery\` instruments nothing.`,
	consumes: [],
	produces: ['traces', 'metrics', 'targets'],
}
