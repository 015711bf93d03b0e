import { RECORD_KIND } from '../../model/record.ts'

/** The kernel told HTTP/1 from the rest and parsed it: its record kind is the detection. */
export const HTTP1_RECORD_KIND = RECORD_KIND.http1
