import { expect, it } from 'vitest'
import { hideLogin } from '../../src/util/hide-login.ts'

it.each([
	['https://me:pw@host/path', 'https://host/path'],
	['https://me:p@ss@host/path', 'https://host/path'],
	['https://t0ken@host', 'https://host'],
	['git+ssh://me:pw@host/path', 'git+ssh://host/path'],
	[
		"unable to access 'https://me:pw@host/': gone, see ftp://you@b",
		"unable to access 'https://host/': gone, see ftp://b",
	],
	['https://host/a@b', 'https://host/a@b'],
	['https://host?who=a@b', 'https://host?who=a@b'],
	['git@host:path', 'git@host:path'],
])('an address loses its user and password, and nothing else: %s', (text, wanted) => {
	expect(hideLogin(text)).toBe(wanted)
})
