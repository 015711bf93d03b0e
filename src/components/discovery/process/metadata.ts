import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: 'Exports the processes of this host as targets.',
	docs: `Labels: \`__process_pid__\`, \`__meta_process_exe\`, \`__meta_process_cwd\`, \`__meta_process_commandline\`,
\`__meta_process_uid\`, \`__meta_process_username\`, \`__meta_cgroup_path\`, \`__container_id__\`.`,
	consumes: ['targets'],
	produces: ['targets'],
}
