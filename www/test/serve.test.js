import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { serve } from '../serve.js'
import { launch } from './chromium.js'

const EMPTY_WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const PAGE = `<!doctype html><title>before</title>
<script>document.title = 'an inline script ran'</script>
<script type="module" src="page.js"></script>`
const SCRIPT = `await WebAssembly.compileStreaming(fetch('empty.wasm'))
document.body.append(document.title)
try { new Function('') } catch (error) { document.body.append(', ', error.name) }`

let folder, server, address

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyside-serve-'))
  const root = join(folder, 'root')
  await mkdir(join(root, 'docs'), { recursive: true })
  await writeFile(join(folder, 'secret.txt'), 'secret')
  await symlink(join(folder, 'secret.txt'), join(root, 'link.txt'))
  await writeFile(join(root, 'index.html'), PAGE)
  await writeFile(join(root, 'page.js'), SCRIPT)
  await writeFile(join(root, 'empty.wasm'), EMPTY_WASM)
  await writeFile(join(root, 'docs', 'index.html'), 'docs')
  server = await serve(root)
  address = `http://127.0.0.1:${server.address().port}`
})

after(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

test('files come with their type and the policy', async () => {
  const response = await fetch(`${address}/empty.wasm?v=1`)
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/wasm')
  assert.match(response.headers.get('content-security-policy'), /default-src 'self'/)
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), EMPTY_WASM)
})

test('a folder is its index', async () => {
  assert.equal(await (await fetch(`${address}/docs/`)).text(), 'docs')
  const response = await fetch(`${address}/docs`, { redirect: 'manual' })
  assert.equal(response.headers.get('location'), '/docs/')
})

test('nothing above the root is served', async () => {
  for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/docs/..%2f..%2fsecret.txt', '/link.txt', '/absent']) {
    assert.equal(await statusOf(`GET ${path}`), 404, path)
  }
})

test('what is no request for a file is refused', async () => {
  assert.equal(await statusOf('GET /%ff'), 400)
  assert.equal(await statusOf('GET /a%00b'), 400)
  assert.equal(await statusOf('GET http://example.org/'), 400)
  assert.equal(await statusOf('DELETE /index.html'), 405)
})

test('in Chromium the policy lets wasm compile, and neither inline scripts nor eval run', async () => {
  const browser = await launch()
  try {
    const page = await browser.newPage()
    await page.goto(address)
    await page.waitForFunction(() => document.body.textContent.includes(','), null, { timeout: 10_000 })
    assert.equal((await page.textContent('body')).trim(), 'before, EvalError')
  } finally {
    await browser.close()
  }
})

// fetch would normalize the path before it sends it.
function statusOf(request) {
  return new Promise((resolve, reject) => {
    const socket = connect(server.address().port, '127.0.0.1', () =>
      socket.write(`${request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
    )
    socket.once('error', reject)
    socket.once('data', (data) => {
      resolve(Number(data.toString().split(' ')[1]))
      socket.destroy()
    })
  })
}
