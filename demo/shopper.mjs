// The traffic: about 20 requests a second, most of them well-behaved.
import http from 'node:http'

const shop = process.env.STOREFRONT
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
const paths = [
	() => '/',
	() => '/products',
	() => `/products/${1 + Math.floor(Math.random() * 50)}`,
	() => `/products/${1 + Math.floor(Math.random() * 50)}`,
	() => '/cart',
	() => (Math.random() < 0.3 ? '/nothing-here' : '/'),
	() => (Math.random() < 0.3 ? '/broken' : '/products/7'),
]

function visit() {
	const path = paths[Math.floor(Math.random() * paths.length)]()
	const method = path === '/cart' ? 'POST' : 'GET'
	const request = http.request(shop + path, { agent, method, timeout: 5000 }, (response) => response.resume())
	// The shop may be starting or stopping; shoppers come back.
	request.on('error', () => undefined)
	request.end(method === 'POST' ? '{"id":7}' : undefined)
	setTimeout(visit, 20 + Math.random() * 60)
}

visit()
