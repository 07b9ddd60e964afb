// The examples, run as they are, out of a bundler.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { chromium } from 'playwright-core'

const pkg = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' }

/** A folder and a server of it; `/api/` counts how often it was asked. */
async function site(t) {
  const root = mkdtempSync(join(tmpdir(), 'keyside-example-'))
  let asked = 0
  const server = createServer((request, response) => {
    if (request.url.startsWith('/api/')) return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ asked: ++asked }))
    const file = join(root, request.url === '/' ? '/index.html' : request.url)
    if (!existsSync(file)) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' }).end(readFileSync(file))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', timeout: 30_000, args: ['--no-sandbox', '--disable-gpu'] })
  t.after(async () => {
    await browser.close()
    server.closeAllConnections()
    server.close()
    rmSync(root, { recursive: true, force: true })
  })
  return { root, url: `http://127.0.0.1:${server.address().port}/`, context: await browser.newContext() }
}

const bundle = (entryPoints, outdir, options) => build({ entryPoints, outdir, bundle: true, format: 'esm', target: 'es2022', logLevel: 'error', absWorkingDir: pkg(''), ...options })

test('shared-tabs: tabs count together, and go on when one is closed', async (t) => {
  const { root, url, context } = await site(t)
  // A bundler that knows no workers is told of theirs.
  await bundle([pkg('examples/shared-tabs/main.js'), pkg('dist/host.js')], root, { entryNames: '[name]' })
  copyFileSync(pkg('dist/keyside.wasm'), join(root, 'keyside.wasm'))
  copyFileSync(pkg('examples/shared-tabs/index.html'), join(root, 'index.html'))
  const tabs = [await context.newPage(), await context.newPage()]
  const shows = (page, text) => page.waitForFunction((text) => document.querySelector('#count').textContent === text, text, { timeout: 20_000 })
  for (const page of tabs) {
    await page.goto(url)
    await shows(page, '0')
  }
  await tabs[0].click('#count')
  await shows(tabs[1], '1')
  await tabs[1].evaluate(() => new Promise((resolve) => setTimeout(resolve, 1500)))
  await tabs[0].close()
  await tabs[1].waitForFunction(() => (document.querySelector('#count').click(), document.querySelector('#count').textContent > '1'), null, { timeout: 20_000, polling: 500 })
})

test('cache-aside: the second answer comes from the service worker', async (t) => {
  const { root, url, context } = await site(t)
  await bundle([pkg('examples/cache-aside/service-worker.js')], root, { conditions: ['browser'] })
  copyFileSync(pkg('dist/keyside.wasm'), join(root, 'keyside.wasm'))
  copyFileSync(pkg('examples/shared-tabs/index.html'), join(root, 'index.html'))
  const page = await context.newPage()
  await page.goto(url)
  const seen = await page.evaluate(async () => {
    await navigator.serviceWorker.register('/service-worker.js', { type: 'module' })
    await navigator.serviceWorker.ready
    if (!navigator.serviceWorker.controller) await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve))
    const ask = async () => {
      const response = await fetch('/api/time')
      return [await response.json(), response.headers.get('x-cache')]
    }
    return [await ask(), await ask()]
  })
  assert.deepEqual(seen, [[{ asked: 1 }, null], [{ asked: 1 }, 'hit']])
})

test('ratelimit-worker: the eleventh request of a minute is refused, by a new isolate too', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'keyside-example-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  await bundle([pkg('examples/ratelimit-worker/worker.js')], root, { conditions: ['workerd', 'worker', 'browser'], loader: { '.wasm': 'copy' }, assetNames: '[name]' })
  const modules = [
    { type: 'ESModule', path: 'worker.js', contents: readFileSync(join(root, 'worker.js'), 'utf8') },
    { type: 'CompiledWasm', path: 'keyside.wasm', contents: readFileSync(join(root, 'keyside.wasm')) },
  ]
  const statuses = []
  for (let i = 0; i < 2; i++) {
    const worker = new Miniflare({ modules, compatibilityDate: '2026-07-01', durableObjects: { LIMITER: { className: 'Limiter', useSQLite: true } }, durableObjectsPersist: join(root, 'objects'), host: '127.0.0.1', port: 0 })
    try {
      for (let n = 0; n < 6; n++) statuses.push((await worker.dispatchFetch('http://localhost/', { signal: AbortSignal.timeout(20_000) })).status)
    } finally {
      await worker.dispose()
    }
  }
  assert.deepEqual(statuses, [...Array(10).fill(200), 429, 429])
})
