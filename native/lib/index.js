'use strict'

// Classes over the addon's flat functions. Every check of arguments is done there.

const native = require('./binding.js')

class BpfError extends Error {
	constructor(message, operation, errno, errnoNumber, subject, log) {
		super(message)
		this.name = 'BpfError'
		this.operation = operation
		this.errno = errno
		this.errnoNumber = errnoNumber
		this.subject = subject
		// Can be megabytes: not printed with the error.
		Object.defineProperty(this, 'log', { value: log, enumerable: false })
	}

	get code() {
		return this.errno
	}
}

native.setErrorClass(BpfError)
process.on('exit', () => native.closeAll())

const UPDATE_FLAGS = { any: 0, noexist: 1, exist: 2 }
const ALL = 0xffffffff

class BpfObject {
	#handle
	#programs = new Map()
	#maps = new Map()

	constructor(handle) {
		this.#handle = handle
	}

	get name() {
		return native.objectName(this.#handle)
	}

	get state() {
		return native.objectState(this.#handle)
	}

	get programs() {
		return native.objectPrograms(this.#handle)
	}

	get maps() {
		return native.objectMaps(this.#handle)
	}

	setGlobal(name, value) {
		native.objectSetGlobal(this.#handle, name, value)
	}

	setAutoload(program, autoload) {
		native.objectSetAutoload(this.#handle, program, autoload)
	}

	setAutocreate(map, autocreate) {
		native.objectSetAutocreate(this.#handle, map, autocreate)
	}

	setMaxEntries(map, entries) {
		native.objectSetMaxEntries(this.#handle, map, entries)
	}

	async load(options = {}) {
		await native.objectLoad(this.#handle, options.logLevel ?? 0)
	}

	program(name) {
		let program = this.#programs.get(name)
		if (program === undefined) {
			program = new BpfProgram(native.objectProgram(this.#handle, name), name)
			this.#programs.set(name, program)
		}
		return program
	}

	map(name) {
		let map = this.#maps.get(name)
		if (map === undefined) {
			map = new BpfMap(native.objectMap(this.#handle, name))
			this.#maps.set(name, map)
		}
		return map
	}

	btf() {
		return native.objectBtf(this.#handle)
	}

	close() {
		native.objectClose(this.#handle)
	}

	async closeAsync() {
		await native.objectCloseAsync(this.#handle)
	}
}

class BpfProgram {
	#handle

	constructor(handle, name) {
		this.#handle = handle
		this.name = name
		const { section, type } = native.programInfo(handle)
		this.section = section
		this.type = type
	}

	get autoload() {
		return native.programInfo(this.#handle).autoload
	}

	get id() {
		return native.programStats(this.#handle).id
	}

	get fd() {
		return native.programFd(this.#handle)
	}

	stats() {
		const { id, ...stats } = native.programStats(this.#handle)
		return stats
	}

	async attach() {
		return new BpfLink(await native.attachSection(this.#handle), this.name)
	}

	async attachTracepoint(category, name) {
		return new BpfLink(await native.attachTracepoint(this.#handle, category, name), this.name)
	}

	async attachKprobe(symbol, options = {}) {
		return new BpfLink(await native.attachKprobe(this.#handle, symbol, options.retprobe ?? false), this.name)
	}

	async attachUprobe(options) {
		const { path, symbol = '', offset = 0, pid = -1, retprobe = false, cookie = 0n } = options
		return new BpfLink(
			await native.attachUprobe(this.#handle, path, symbol, offset, pid, retprobe, cookie),
			this.name,
		)
	}

	async attachUsdt(options) {
		const { path, provider, name, pid = -1, cookie = 0n } = options
		return new BpfLink(await native.attachUsdt(this.#handle, path, provider, name, pid, cookie), this.name)
	}

	async attachCgroup(cgroupPath) {
		return new BpfLink(await native.attachCgroup(this.#handle, cgroupPath), this.name)
	}

	async attachMap(map) {
		return new BpfLink(await native.attachMap(this.#handle, mapHandle(map)), this.name)
	}

	async attachTc(options) {
		const { ifindex, direction, priority = 0, handle = 0 } = options
		if (direction !== 'ingress' && direction !== 'egress') {
			throw new TypeError("direction must be 'ingress' or 'egress'")
		}
		return new BpfLink(
			await native.attachTc(this.#handle, ifindex, direction === 'ingress', priority, handle),
			this.name,
		)
	}

	async runIterator(options = {}) {
		const map = options.map === undefined ? undefined : mapHandle(options.map)
		return await native.programRunIterator(this.#handle, map)
	}

	testRun(options) {
		return native.programTestRun(this.#handle, options.data, options.context, options.repeat ?? 0)
	}
}

class BpfLink {
	#handle

	constructor(handle, program) {
		this.#handle = handle
		this.program = program
	}

	get closed() {
		return native.linkClosed(this.#handle)
	}

	close() {
		native.linkClose(this.#handle)
	}

	async closeAsync() {
		await native.linkCloseAsync(this.#handle)
	}
}

let mapHandle

class BpfMap {
	#handle

	static {
		mapHandle = (map) => map.#handle
	}

	constructor(handle) {
		this.#handle = handle
		const { name, type, keySize, valueSize } = native.mapInfo(handle)
		this.name = name
		this.type = type
		this.keySize = keySize
		this.valueSize = valueSize
	}

	get maxEntries() {
		return native.mapInfo(this.#handle).maxEntries
	}

	get fd() {
		return native.mapFd(this.#handle)
	}

	get cpus() {
		return native.mapCpus(this.#handle)
	}

	get(key) {
		return native.mapGet(this.#handle, key)
	}

	set(key, value, flags = 'any') {
		native.mapSet(this.#handle, key, value, UPDATE_FLAGS[flags])
	}

	delete(key) {
		return native.mapDelete(this.#handle, key)
	}

	keys() {
		return native.mapKeys(this.#handle)
	}

	entries(options = {}) {
		return native.mapEntries(this.#handle, options.take ?? false, options.limit ?? ALL)
	}

	mmap() {
		return native.mapMmap(this.#handle)
	}

	ring() {
		return new RingReader(native.mapRing(this.#handle))
	}

	close() {
		native.mapClose(this.#handle)
	}
}

class RingReader {
	#handle

	constructor(handle) {
		this.#handle = handle
		this.size = native.ringSize(handle)
	}

	drain(into, maxRecords = ALL) {
		return native.ringDrain(this.#handle, into, maxRecords)
	}

	get lastRecords() {
		return native.ringRecords(this.#handle)
	}

	get lastDiscarded() {
		return native.ringDiscarded(this.#handle)
	}

	get more() {
		return native.ringMore(this.#handle)
	}

	available() {
		return native.ringAvailable(this.#handle)
	}

	nextSize() {
		return native.ringNextSize(this.#handle)
	}

	onWakeup(callback) {
		native.ringOnWakeup(this.#handle, callback)
	}

	close() {
		native.ringClose(this.#handle)
	}
}

function openObject(source, options = {}) {
	return new BpfObject(native.open(source, options.name ?? '', options.btfPath ?? ''))
}

async function probeFeature(feature) {
	const { kind, type = '', category = '', name = '', helper = 0 } = feature
	return await native.probeFeature(kind, type, category, name, helper)
}

function enableStats() {
	const handle = native.enableStats()
	return { close: () => native.statsClose(handle) }
}

function listPrograms() {
	return native.listPrograms()
}

function libbpfVersion() {
	return native.libbpfVersion()
}

function bootClock() {
	return native.bootClock()
}

function limitHeapArenas(count) {
	return native.limitHeapArenas(count)
}

// One assignment a name: Node finds names to import from ESM by looking for these.
exports.openObject = openObject
exports.probeFeature = probeFeature
exports.enableStats = enableStats
exports.listPrograms = listPrograms
exports.libbpfVersion = libbpfVersion
exports.bootClock = bootClock
exports.limitHeapArenas = limitHeapArenas
exports.BpfError = BpfError
