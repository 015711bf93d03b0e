import { alloyRegistry } from './alloy-registry.ts'
import type { ConformanceResult } from './result.ts'
import { compareValidate } from './validate-run.ts'

/** The configurations against the shapes of Alloy's own components: the language, whichever components Vör has. */
export const run = (): Promise<ConformanceResult> => compareValidate('validate (language)', alloyRegistry)
