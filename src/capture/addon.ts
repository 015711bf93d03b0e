/** The addon in a module of its own: who imports this learns whether it is built, in the bundle as well. */
export { listPrograms, probeFeature } from 'bpf-native-loader'
