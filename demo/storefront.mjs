// A web shop's front: asks the catalog over keep-alive connections and answers HTML.
import http from 'node:http'

const catalog = process.env.CATALOG
// Where there is no Python there is no catalog, and the stock is asked instead.
const stock = process.env.STOCK
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 })

function ask(path) {
	const id = /\d+$/.exec(path)?.[0] ?? '1'
	const url =
		catalog !== undefined ? catalog + path : stock !== undefined ? `http://${stock}/stock/${id}` : undefined
	if (url === undefined) return Promise.resolve({ status: 200, body: '{"name":"thing"}' })
	return new Promise((resolve, reject) => {
		http
			.get(url, { agent, timeout: 5000 }, (response) => {
				let body = ''
				response.setEncoding('utf8')
				response.on('data', (chunk) => {
					body += chunk
				})
				response.on('end', () => resolve({ status: response.statusCode, body }))
			})
			.on('error', reject)
	})
}

const server = http.createServer(async (request, response) => {
	const send = (status, body) => response.writeHead(status, { 'content-type': 'text/html' }).end(body)
	try {
		if (request.url === '/') send(200, '<h1>Shop</h1>')
		else if (request.url === '/cart' && request.method === 'POST') {
			request.resume()
			request.on('end', () => send(201, '<p>Added</p>'))
		} else if (request.url === '/broken') send(500, '<p>Out of order</p>')
		else if (/^\/products(\/\d+)?$/.test(request.url ?? '')) {
			const { status, body } = await ask(request.url)
			send(status, `<pre>${body}</pre>`)
		} else send(404, '<p>No such page</p>')
	} catch {
		send(502, '<p>The catalog does not answer</p>')
	}
})

server.listen(Number(process.env.PORT), '127.0.0.1')
