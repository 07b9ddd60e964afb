// The package as users get it: packed, installed into an empty project, and loaded by a page without a bundler.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { chromium } from 'playwright-core'

/** Runs in Node and in the page: what the package promises first. */
const CONTRACT = `
async function contract({ open, ReplyError }) {
  const db = await open()
  const other = db.connect()
  db.set('k', 'ü', { px: 1000 })
  const seen = [
    db.set('cache:product:123', '{"name":"iPhone"}', { ex: 60 }),
    db.get('cache:product:123'),
    db.hset('session:abc123', { user_id: 1, role: 'user' }),
    db.hgetall('session:abc123'),
    db.zadd('board', { ada: 10 }),
    db.zrange('board', 0, -1, { withscores: true }),
    db.call('STRLEN', 'cache:product:123'),
    Array.from(db.bytes.get('k')),
    other.get('k'),
  ]
  try { db.incr('k') } catch (error) { seen.push(error instanceof ReplyError && error.code) }
  await new Promise((resolve) => setTimeout(resolve, 1020))
  seen.push(db.get('k'))
  db.close()
  try { db.get('k') } catch (error) { seen.push(error.message) }
  return seen
}
`
const SEEN = ['OK', '{"name":"iPhone"}', 2, { user_id: '1', role: 'user' }, 1, [['ada', 10]], 17, [195, 188], 'ü', 'ERR', null, 'keyside: the store is closed']

let folder
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyside-package-'))
})
after(() => rm(folder, { recursive: true }))

test('packed and installed into an empty project, it keeps its promises', async () => {
  const npm = (args, cwd) => execFileSync('npm', [...args, '--silent'], { cwd, encoding: 'utf8' }).trim()
  const tarball = npm(['pack', '--ignore-scripts', '--pack-destination', folder], fileURLToPath(new URL('..', import.meta.url)))
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  npm(['install', '--offline', '--no-audit', '--no-fund', join(folder, tarball.split('\n').at(-1))], folder)
  await writeFile(join(folder, 'main.js'), `import * as keyside from 'keyside'\n${CONTRACT}\nconsole.log(JSON.stringify(await contract(keyside)))`)
  const output = execFileSync(process.execPath, ['main.js'], { cwd: folder, encoding: 'utf8', timeout: 20_000 })
  assert.deepEqual(JSON.parse(output), SEEN)
})

test('a page loads it without a bundler, under a strict policy', async () => {
  const types = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' }
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname
    const pages = { '/': '<!doctype html><meta charset="utf-8"><script type="module" src="/main.js"></script>', '/main.js': `import * as keyside from '/dist/index.js'\n${CONTRACT}\nwindow.seen = contract(keyside)` }
    const body = pages[path] ?? (await readFile(new URL(`..${path}`, import.meta.url)).catch(() => null))
    response.writeHead(body === null ? 404 : 200, {
      'content-type': types[extname(path) || '.html'] ?? 'text/plain',
      'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
    })
    response.end(body ?? '')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', timeout: 30_000, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] })
  try {
    const page = await browser.newPage()
    const errors = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    await page.waitForFunction('window.seen', null, { timeout: 10_000 })
    assert.deepEqual(await page.evaluate('window.seen'), SEEN)
    assert.deepEqual(errors, [])
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
})
