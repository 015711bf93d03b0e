export { type Capture, createCapture } from './capture.ts'
export { beginEarlyLoad, dropEarlyLoad } from './early-load.ts'
export {
	type CaptureOptions,
	DEFAULT_RING_BYTES,
	type KernelCounters,
	type ProgramStatistics,
} from './options.ts'
export { objectPath, packageRoot } from './paths.ts'
export type { RecordingHeader } from './recording-format.ts'
export { createRecordingWriter, type RecordingWriter } from './recording-writer.ts'
export { createReplay, readRecordingHeader } from './replay.ts'
export type { CaptureStatistics } from './statistics.ts'
