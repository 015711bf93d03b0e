import type { BpfLink } from 'bpf-native-loader'
import type { ProbeSite, ProcessTracker } from '../model/process-event.ts'
import type { KernelObject } from './kernel-object.ts'
import type { CaptureOptions } from './options.ts'
import type { CaptureStatistics } from './statistics.ts'

/** Hangs uprobes into executables as the tracker finds them, and owns their links. */
export interface ProbeAttacher {
	/** Off the main thread. A refusal is counted and told to the tracker, which may ask again: never rejects. */
	attach(site: ProbeSite): Promise<void>
	/** Detaches all; what is on its way is detached as soon as it hangs. */
	close(): void
}

/** `attached`: called whenever the tracker may have something new for the kernel. */
export function createProbeAttacher(
	kernel: KernelObject,
	processes: Pick<ProcessTracker, 'probeAttached'>,
	statistics: Pick<CaptureStatistics, 'probesAttached' | 'probesRefused'>,
	attached: () => void,
	notice: CaptureOptions['notice'],
): ProbeAttacher {
	const links: BpfLink[] = []
	let closed = false
	return {
		async attach(site) {
			const { program, path, offset } = site
			try {
				const link = await kernel.object.program(program).attachUprobe({ path, offset })
				if (closed) {
					link.close()
					return
				}
				links.push(link)
				statistics.probesAttached++
				processes.probeAttached(site, true)
				attached()
			} catch (reason) {
				statistics.probesRefused++
				processes.probeAttached(site, false)
				const message = reason instanceof Error ? reason.message : String(reason)
				notice?.('warn', `probe ${program} in ${path}: ${message}`)
			}
		},
		close() {
			closed = true
			for (const link of links.splice(0)) link.close()
		},
	}
}
