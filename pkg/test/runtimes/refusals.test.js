// What a page's policy or server does to the package, and what the message then tells to do.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'

import { chromium } from 'playwright-core'

import { project } from './project.js'

let home
let browser
before(async () => {
  home = project()
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', timeout: 30_000, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
})
after(async () => {
  await browser?.close()
  home?.remove()
})

/** What opening a store says in a page that is served so; files are answered with the package's, as pages, or as told. */
async function says(t, { policy, wasm, script = "import('/index.js').then(({ open }) => open())" }) {
  const server = createServer(async ({ url }, response) => {
    const headers = { 'content-security-policy': policy ?? '' }
    if (url === '/') return response.writeHead(200, { ...headers, 'content-type': 'text/html' }).end('<!doctype html>')
    if (url.endsWith('.wasm') && wasm) return wasm(response)
    const body = await readFile(home.path(`node_modules/keyside/dist${url}`)).catch(() => undefined)
    response.writeHead(body ? 200 : 404, { ...headers, 'content-type': url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript' }).end(body)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => (server.closeAllConnections(), server.close()))
  const page = await browser.newPage()
  try {
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    return await page.evaluate(`${script}.then(() => 'open', ({ message }) => message)`)
  } finally {
    await page.close()
  }
}

test('a policy without wasm-unsafe-eval is named', async (t) => {
  assert.match(await says(t, { policy: "default-src 'self'" }), /the policy of the page forbids wasm; add 'wasm-unsafe-eval' to its script-src/)
})

test('a policy that allows nothing to be fetched is named', async (t) => {
  assert.match(await says(t, { policy: "script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'" }), /keyside\.wasm cannot be read \(.*; serve .* connect-src in the page's policy/)
})

test('a server that answers everything with its page is named', async (t) => {
  const wasm = (type) => (response) => response.writeHead(200, { 'content-type': type }).end('<!doctype html>')
  assert.match(await says(t, { wasm: wasm('text/html') }), /which came as text\/html, is no wasm module/)
  assert.match(await says(t, { wasm: wasm('application/wasm') }), /what came as wasm is no wasm module .*; serve keyside\.wasm/)
})

test('a module that is called something else is compiled all the same', async (t) => {
  const wasm = async (response) => response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(await readFile(home.path('node_modules/keyside/dist/keyside.wasm')))
  assert.equal(await says(t, { wasm }), 'open')
})

test('a policy without workers is named', async (t) => {
  const script = "import('/worker.js').then(({ open }) => open())"
  assert.match(await says(t, { policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'", script }), /its worker cannot be started .*worker-src/)
})
