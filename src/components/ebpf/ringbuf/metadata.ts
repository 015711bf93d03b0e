import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: 'Watches sockets and processes with eBPF and gives what the kernel recorded.',
	docs: `Needs root, or the capabilities that \`vor check\` names. Loads its programs when it starts and leaves nothing
attached when it ends. A change of \`discovery\` or \`output\` takes effect while the programs stay attached; a change of
any other argument attaches anew.`,
	consumes: [],
	produces: ['records'],
}
