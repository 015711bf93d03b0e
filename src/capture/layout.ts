/** The generated layout of bpf/events.h, with what our own readers need of the header written out. */
export * from './layout.gen.ts'

/** struct vor_record_header; `checkLayout` holds it against the object. */
export const HEADER = { bytes: 8, kindAt: 0, sizeAt: 2 } as const
