// A server of static files for the page, on 127.0.0.1: `node www/serve.js [ROOT [PORT]]`, or `serve` for tests.
// It is for trying the page at home, with the headers a real host should send; not a web server for others to reach.

import { readFile, realpath } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

const HEADERS = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/**
 * Serves the files below `root`, and a folder as its index.html.
 * @param {string} root
 * @param {number} port 0 takes a free one
 * @param {Record<string, string>} others headers in the place of those a real host should send
 * @returns {Promise<import('node:http').Server>} once it listens
 */
export async function serve(root, port = 0, others = {}) {
  const base = await realpath(root)
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await answer(base, request)
    response.writeHead(status, { ...HEADERS, ...others, 'Content-Length': body.length, ...headers })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

async function answer(base, { method, url }) {
  if (method !== 'GET' && method !== 'HEAD') return refusal(405, 'Method Not Allowed', { Allow: 'GET, HEAD' })
  let path
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0])
  } catch {
    return refusal(400, 'Bad Request')
  }
  if (!path.startsWith('/') || path.includes('\0')) return refusal(400, 'Bad Request')
  if (path.endsWith('/')) path += 'index.html'
  try {
    const file = await realpath(join(base, path))
    if (!file.startsWith(base + sep)) return refusal(404, 'Not Found')
    const type = TYPES[extname(file)] ?? 'application/octet-stream'
    return { status: 200, headers: { 'Content-Type': type }, body: await readFile(file) }
  } catch (error) {
    if (error.code === 'EISDIR') return refusal(301, 'Moved Permanently', { Location: encodeURI(path.replace(/^\/+/, '/')) + '/' })
    return refusal(404, 'Not Found')
  }
}

function refusal(status, reason, headers = {}) {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers }, body: Buffer.from(`${reason}\n`) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [root = 'target/www', port = '8379'] = process.argv.slice(2)
  await serve(root, Number(port))
}
