// Stores in workers, and one store of several tabs: what a tab sees when the one that had the store is closed or frozen.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

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

/** A tab with `db`, a store of this entry. */
async function tab(context, entry, options) {
  const page = await context.newPage()
  await page.goto(server.url)
  await page.evaluate(
    async ({ entry, options }) => {
      const { open } = await import(`/node_modules/keyside/dist/${entry}.js`)
      globalThis.changes = 0
      globalThis.events = []
      const onLeaderChange = () => globalThis.changes++
      globalThis.db = await open({ ...options, onPersist: ({ kind }) => globalThis.events.push(kind), ...(entry === 'shared' ? { onLeaderChange } : {}) })
    },
    { entry, options },
  )
  return page
}

/** Waits until something is so in a page. */
async function until(page, condition) {
  await page.waitForFunction(condition, null, { timeout: 20_000, polling: 50 })
}

test('a store in a worker is kept, and ends with its page', async () => {
  const context = await browser.newContext()
  for (const persist of ['idb://worker', 'opfs://worker']) {
    const page = await tab(context, 'worker', { persist })
    const seen = await page.evaluate(async () => {
      const seen = [await db.set('k', 1), await db.incr('k'), await db.place()]
      await db.persisted()
      await db.set('late', 1)
      await db.close()
      return [...seen, await db.get('k').catch(({ message }) => message)]
    })
    assert.deepEqual(seen, ['OK', 2, persist, 'keyside: the store is closed'])
    const again = await tab(context, 'worker', { persist })
    assert.deepEqual(await again.evaluate(async () => [await db.get('k'), await db.get('late')]), ['2', '1'])
    await page.close()
    await again.close()
  }
  await context.close()
})

test('what keeps a worker from being opened is told', async () => {
  const context = await browser.newContext()
  const first = await tab(context, 'worker', { persist: 'idb://one' })
  await assert.rejects(tab(context, 'worker', { persist: 'idb://one' }), /idb:\/\/one is in use by another store/)
  await assert.rejects(tab(context, 'worker', { wasm: new URL('missing.wasm', server.url).href }), /answered 404/)
  await first.close()
  await context.close()
})

test('three tabs share a store, and the others go on when the one that had it is closed', async () => {
  const context = await browser.newContext()
  const options = { persist: 'idb://shared', appendfsync: 'always' }
  const tabs = []
  for (let i = 0; i < 3; i++) tabs.push(await tab(context, 'shared', options))
  const [first, second, third] = tabs
  await first.evaluate(() => db.set('k', 1))
  assert.equal(await second.evaluate(() => db.incr('k')), 2)
  assert.equal(await third.evaluate(() => db.get('k')), '2')
  await second.evaluate(() => {
    globalThis.heard = []
    globalThis.loop = (async () => {
      for await (const { message } of db.subscribe('news')) heard.push(message)
    })()
  })
  await until(third, async () => (await db.publish('news', 'one')) === 1)
  // In the middle of a transaction, with a write and reads under way.
  await second.evaluate(async () => {
    await db.persisted()
    globalThis.inThere = db.connect()
    await inThere.call('MULTI')
    await inThere.call('SET', 'half', 1)
  })
  await first.close()
  await until(second, () => changes === 1)
  const seen = await second.evaluate(async () => {
    const refused = (promise) => promise.then(() => 'done', ({ name }) => name)
    return [await refused(inThere.call('SET', 'half', 2)), await refused(inThere.call('EXEC')), await db.exists('half'), await db.incr('k')]
  })
  assert.deepEqual(seen, ['LeaderChangedError', 'LeaderChangedError', 0, 3])
  assert.equal(await third.evaluate(() => db.get('k')), '3')
  await until(third, async () => (await db.publish('news', 'two')) === 1)
  await until(second, () => heard.at(-1) === 'two')
  assert.deepEqual(await second.evaluate(() => [db.close(), events][1]), [])
  await until(third, async () => (await db.get('k')) === '3')
  await context.close()
})

test('a leader that is frozen is replaced, and does no harm when it wakes', async () => {
  const context = await browser.newContext()
  const options = { persist: 'idb://frozen', appendfsync: 'always' }
  const [first, second] = [await tab(context, 'shared', options), await tab(context, 'shared', options)]
  await second.evaluate(() => db.set('k', 1))
  await second.evaluate(() => db.persisted())
  const [worker] = first.workers()
  const frozen = worker.evaluate(() => {
    const end = Date.now() + 12_000
    while (Date.now() < end);
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  const pending = second.evaluate(async () => {
    const [read, write] = [db.get('k'), db.incr('k').then(() => 'done', ({ name }) => name)]
    return [await read, await write]
  })
  assert.deepEqual(await pending, ['1', 'LeaderChangedError'])
  assert.equal(await second.evaluate(() => db.incr('k')), 2)
  await second.evaluate(() => db.persisted())
  await frozen
  assert.equal(await second.evaluate(() => db.incr('k')), 3)
  await until(first, async () => (await db.get('k')) === '3')
  await until(first, () => events.includes('lost'))
  assert.deepEqual(await second.evaluate(() => [changes, events]), [1, []])
  await second.evaluate(() => db.persisted())
  await first.close()
  await second.close()
  const third = await tab(context, 'shared', options)
  assert.equal(await third.evaluate(() => db.get('k')), '3')
  await context.close()
})
