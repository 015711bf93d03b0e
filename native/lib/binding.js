'use strict'

// Finds the addon. It is built by an explicit `make`, never by an install script.

const { existsSync } = require('node:fs')
const { join } = require('node:path')

const places = [join(__dirname, '..', 'build', 'bpf_native_loader.node')]
if (process.env.BPF_NATIVE_LOADER) places.unshift(process.env.BPF_NATIVE_LOADER)

const found = places.find((place) => existsSync(place))
if (found === undefined) {
	throw new Error(
		`bpf-native-loader is not built: run "npm run build -w bpf-native-loader" (looked for ${places.join(', ')})`,
	)
}

module.exports = require(found)
