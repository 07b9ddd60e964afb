// Stores that are kept in a browser's places and in a Durable Object: there after a reload, and one store at a time.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { chromium } from 'playwright-core'

import { project, serve } from './project.js'

let home
let server
let browser
before(async () => {
  home = project()
  home.write('index.html', '<!doctype html><meta charset="utf-8"><title>keyside</title>')
  server = await serve(home.root)
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', timeout: 30_000, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
})
after(async () => {
  await browser?.close()
  server?.close()
  home?.remove()
})

/** A page that can open stores: `keep(place)` opens one, and reports go to `events`. */
async function page(context) {
  const page = await context.newPage()
  await page.goto(server.url)
  await page.evaluate(async () => {
    const { open } = await import('/node_modules/keyside/dist/index.js')
    globalThis.events = []
    globalThis.keep = async (persist, options) => (globalThis.db = await open({ persist, onPersist: (event) => events.push(event), ...options }))
  })
  return page
}

for (const place of ['idb://shelf', 'opfs://shelf']) {
  test(`${place} has what was safe, after a reload at any moment`, async () => {
    const context = await browser.newContext()
    const first = await page(context)
    const seen = await first.evaluate(async (place) => {
      await keep(place)
      db.hset('h', { a: 1 })
      db.set('large', 'x'.repeat(3 << 20))
      await db.persisted()
      db.set('n', 0)
      for (let i = 0; i < 100_000; i++) db.set('k' + (i % 1000), i)
      db.incr('n')
      await db.persisted()
      db.config_set({ 'auto-aof-rewrite-min-size': 1000, 'auto-aof-rewrite-percentage': 10 })
      db.incr('n')
      await db.persisted()
      return [db.place, events]
    }, place)
    assert.deepEqual(seen, [place, []])
    await first.close()
    const second = await page(context)
    const read = (page) => page.evaluate(async (place) => {
      await keep(place)
      return [db.hgetall('h'), db.strlen('large'), db.dbsize(), db.get('k999'), db.get('n'), events]
    }, place)
    assert.deepEqual(await read(second), [{ a: '1' }, 3 << 20, 1003, '99999', '2', []])
    await second.evaluate(() => db.close())
    assert.deepEqual(await read(second), [{ a: '1' }, 3 << 20, 1003, '99999', '2', []])
    await context.close()
  })

  test(`${place} is one store's: a second tab is refused and told what to do, and has it when the first is gone`, async () => {
    const context = await browser.newContext()
    const [first, second] = [await page(context), await page(context)]
    const attempt = (page) => page.evaluate((place) => keep(place).then(() => 'open', ({ name, message }) => `${name}: ${message}`), place)
    assert.equal(await attempt(first), 'open')
    assert.equal(await attempt(second), `TakenError: keyside: ${place} is in use by another store; close the other tab or store, or share one store among tabs with keyside/shared`)
    assert.match(await attempt(first), /^TakenError/)
    await first.close()
    assert.equal(await attempt(second), 'open')
    await context.close()
  })
}

test('what is torn in private files is cut, and an edition that is not whole does not count', async () => {
  const context = await browser.newContext()
  const tab = await page(context)
  const events = await tab.evaluate(async () => {
    await keep('opfs://torn')
    db.set('k', 1)
    await db.close()
    const root = await navigator.storage.getDirectory()
    const folder = await (await root.getDirectoryHandle('keyside')).getDirectoryHandle('torn')
    const write = async (name, at, text) => {
      const writable = await (await folder.getFileHandle(name, { create: true })).createWritable({ keepExistingData: true })
      await writable.write({ type: 'write', position: at, data: text })
      await writable.close()
    }
    const size = (await (await folder.getFileHandle('appendonly.aof.1.incr.aof')).getFile()).size
    await write('appendonly.aof.1.incr.aof', size, '*1\r\n$4')
    await write('appendonly.aof.manifest~99', 0, '# keyside 1\nfile app')
    await keep('opfs://torn')
    return [db.get('k'), events]
  })
  assert.deepEqual(events, ['1', [{ kind: 'cut', place: 'opfs://torn', bytes: 6 }]])
  await context.close()
})

test('a place that is not to be had is reported, and the next one taken', async () => {
  const context = await browser.newContext()
  const tab = await page(context)
  const seen = await tab.evaluate(async () => {
    Object.defineProperty(navigator.storage, 'getDirectory', { value: undefined })
    await keep('opfs://private')
    db.set('k', 1)
    await db.persisted()
    const first = [db.place, events.splice(0)]
    await db.close()
    Object.defineProperty(globalThis, 'indexedDB', { value: undefined })
    await keep('opfs://private')
    return [...first, db.place, events, await db.persisted().catch(({ message }) => message)]
  })
  const reason = 'there are no private files here; private windows and pages without https have none'
  const downgrade = { kind: 'downgrade', from: 'opfs://private', to: 'idb://private', reason }
  assert.deepEqual(seen, [
    'idb://private', [downgrade], undefined,
    [downgrade, { kind: 'downgrade', from: 'idb://private', to: 'memory', reason: 'there is no IndexedDB here' }],
    'keyside: the store is kept nowhere: there is no IndexedDB here',
  ])
  await context.close()
})

test('a Durable Object has its store when it is started again', async () => {
  const source = home.write('object.js', `
    import { open } from 'keyside'
    import { durableObjectStorage } from 'keyside/durable-object'
    export class Shelf {
      constructor(context) { this.db = open({ persist: durableObjectStorage(context.storage) }) }
      async fetch(request) {
        const db = await this.db
        const seen = [db.incr('n'), db.strlen('large'), db.place]
        db.set('large', 'x'.repeat(1 << 20))
        if (db.get('n') === '2') db.bgrewriteaof()
        await db.persisted()
        return Response.json(seen)
      }
    }
    export default { fetch: (request, env) => env.SHELF.get(env.SHELF.idFromName('one')).fetch(request) }`)
  await build({
    entryPoints: [source], outfile: home.path('object/index.mjs'), bundle: true, format: 'esm', target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'], loader: { '.wasm': 'copy' }, assetNames: '[name]', logLevel: 'error',
  })
  const [code, wasm] = ['index.mjs', 'keyside.wasm'].map((name) => readFileSync(home.path(`object/${name}`)))
  for (const useSQLite of [true, false]) {
    for (let n = 1; n <= 4; n++) {
      const worker = new Miniflare({
        modules: [{ type: 'ESModule', path: 'index.mjs', contents: code.toString() }, { type: 'CompiledWasm', path: 'keyside.wasm', contents: wasm }],
        compatibilityDate: '2026-07-01', durableObjects: { SHELF: { className: 'Shelf', useSQLite } }, durableObjectsPersist: home.path(`objects-${useSQLite}`), host: '127.0.0.1', port: 0,
      })
      try {
        const response = await worker.dispatchFetch('http://localhost/', { signal: AbortSignal.timeout(20_000) })
        assert.deepEqual(await response.json(), [n, n === 1 ? 0 : 1 << 20, 'the Durable Object'])
      } finally {
        await worker.dispose()
      }
    }
  }
})
