export * from '../model/attribute-filter.ts'
