import { knownComponents } from '../../src/cli/validate.ts'
import type { ConformanceResult } from './result.ts'
import { compareValidate } from './validate-run.ts'

/** The same configurations against the components that Vör has. */
export const run = (): Promise<ConformanceResult> => compareValidate('validate', knownComponents())
