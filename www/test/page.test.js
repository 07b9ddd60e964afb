// The page around its terminals: connections, things to try, looks, failure.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import { FIRST_STEPS } from '../first-steps.js'
import { ROOT, complaints, entries, input, page, press, prompt, shown, type, visit } from './visitor.js'

test('tabs are connections: what one publishes, another hears', async () => {
  await type('SUBSCRIBE news')
  await page.click('#new-tab')
  assert.equal(await page.textContent('[role=tab][aria-selected=true]'), 'client 2')
  assert.deepEqual(await type('PUBLISH news hi'), ['(integer) 1'])
  await page.waitForSelector('.unread:not([hidden])')
  await type('PUBLISH news again')
  await page.waitForFunction(() => document.querySelector('#tab-1 .unread').textContent === '2')
  assert.equal(await page.getAttribute('#tab-1', 'aria-label'), 'client 1, 2 unread')
  await page.click('#tab-1')
  assert.equal(await page.isVisible('.unread'), false)
  const said = (text) => `1) "message"\n2) "news"\n3) "${text}"`
  assert.deepEqual((await entries('.message')).slice(-2), [said('hi'), said('again')])
})

test('messages do not take away what is being read', async () => {
  await type('CONFIG SET notify-keyspace-events KEA', 'PSUBSCRIBE *', 'help string', 'help hash', 'SET k v PX 300')
  const log = page.locator(`${shown} .log`)
  const top = await log.evaluate((it) => {
    it.scrollTop -= 500
    return it.scrollTop
  })
  await page.waitForSelector('.message:has-text("expired")', { state: 'attached' })
  await page.evaluate(() => new Promise(requestAnimationFrame))
  assert.equal(await log.evaluate((it) => it.scrollTop), top)
  await log.evaluate((it) => it.scrollTo(0, it.scrollHeight))
  await type('SET k v PX 300')
  await page.waitForFunction(() => Array.from(document.querySelectorAll('.message')).filter((it) => it.textContent.includes('expired')).length === 4)
  await page.evaluate(() => new Promise(requestAnimationFrame))
  assert.ok((await log.evaluate((it) => it.scrollHeight - it.clientHeight - it.scrollTop)) < 2)
})

test('tabs share the data, not the database or the transaction', async () => {
  await type('SET k 1', 'SELECT 1', 'MULTI')
  await page.click('#new-tab')
  assert.equal(await prompt(), 'keyside>')
  assert.deepEqual(await type('GET k'), ['"1"'])
})

test('tabs are moved through and closed with the keyboard', async () => {
  await page.click('#new-tab')
  await page.focus('#tab-2')
  await press('ArrowLeft')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-1')
  assert.equal(await page.getAttribute('#tab-1', 'aria-selected'), 'true')
  await press('End')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-2')
  await press('Delete')
  assert.equal(await page.locator('[role=tab]').count(), 1)
  assert.equal(await page.isVisible('#close-tab'), false)
  assert.match((await type('INFO clients'))[0], /connected_clients:3\b/, 'two are the page itself')
})

test('the page goes on when its connections are killed', async () => {
  assert.deepEqual(await type('SET k 1', 'CLIENT KILL TYPE normal SKIPME no'), ['(integer) 3'])
  assert.deepEqual(await type('GET k'), ['The connection had ended; this is a new one.', '"1"'])
  await page.waitForFunction(() => document.getElementById('gauge-commands').textContent === '3')
  await page.click('#new-tab')
  assert.deepEqual(await type('GET k'), ['"1"'])
})

test('a key is gone after its time, and the page sees it go', async () => {
  await type('SET k v PX 1500')
  const keys = (count) => page.waitForFunction((count) => document.getElementById('gauge-keys').textContent === count, count)
  await keys('1')
  await keys('0')
  assert.deepEqual(await type('GET k'), ['(nil)'])
})

test('the first lines offered run', async () => {
  const first = page.locator('.greeting button').first()
  const line = await first.textContent()
  await first.click()
  assert.deepEqual(await entries(), [`keyside> ${line}`, 'OK'])
})

test('every first step runs, and runs again, without an error', async () => {
  for (const { name } of [...FIRST_STEPS, ...FIRST_STEPS]) await page.click(`#steps button:has(b:text-is("${name}"))`)
  assert.deepEqual(await page.locator('.log .error').allTextContents(), [])
  const lines = FIRST_STEPS.flatMap((step) => step.lines)
  assert.equal(await page.locator('.log .asked').count(), 2 * lines.length)
  assert.equal(await page.locator('[role=tab]').count(), 2)
  await page.waitForSelector('.message:has-text("hello from the other side")')
})

test('nothing is wider than a phone', async () => {
  await visit({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true })
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.equal(await overflow(), 0)
  await input().focus()
  await type(`SET ${'k'.repeat(200)} v`, 'help zrange', 'help list', 'config')
  await page.click('#new-tab')
  await page.click('#new-tab')
  await page.click('#new-tab')
  await input().focus()
  await page.keyboard.type('zr')
  assert.equal(await overflow(), 0)
  const panel = await page.locator(shown).boundingBox()
  assert.ok(panel.x >= 0 && panel.x + panel.width <= 360)
})

test('text has contrast, in light and in dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    await visit({ colorScheme })
    await type('SET k v', 'GET k', 'GET nothing', 'INCR k', 'STRLEN k', 'SUBSCRIBE c', 'HGETALL nothing', 'LRANGE nothing 0 -1', 'help get', 'KEYS *')
    await page.keyboard.type('set k')
    for (const [text, ratio] of await page.evaluate(contrasts)) assert.ok(ratio >= 4.5, `${ratio.toFixed(2)} in ${colorScheme}: ${text}`)
  }
})

test('a module that is missing is said to be', async () => {
  await page.route('**/*.wasm', (route) => route.abort())
  await page.reload()
  await page.waitForSelector('#failure:not([hidden])')
  assert.match(await page.textContent('#failure'), /The store did not start.*keyside\.wasm/s)
  assert.equal(await page.isVisible('#terminal'), false)
  assert.ok(complaints.length > 0 && complaints.every((it) => /ERR_FAILED/.test(it)), String(complaints))
  complaints.length = 0
})

test('without scripts, the page says what it needs', async () => {
  await visit({ javaScriptEnabled: false })
  assert.equal(await page.isVisible('noscript p'), true)
})

test('what a first visit loads stays small, and is there soon', async () => {
  const { loaded, paint, ready } = await page.evaluate(() => ({
    loaded: performance.getEntriesByType('resource').filter(({ startTime }) => startTime < performance.getEntriesByName('ready')[0].startTime).map(({ name }) => new URL(name).pathname),
    paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    ready: performance.getEntriesByName('ready')[0].startTime,
  }))
  const sizes = ['/index.html', ...new Set(loaded)].map((path) => [path, brotliCompressSync(readFileSync(`${ROOT}${path}`)).length])
  const sum = (of) => of.reduce((total, [, size]) => total + size, 0)
  const modules = sizes.filter(([path]) => path.endsWith('.wasm'))
  console.log(`a first visit: ${Math.round(sum(sizes) / 1000)} kB in brotli, ${Math.round(sum(modules) / 1000)} kB of them the module; first paint after ${Math.round(paint)} ms, the prompt after ${Math.round(ready)} ms`)
  assert.deepEqual(modules.map(([path]) => path), ['/keyside/lite/keyside.wasm'])
  assert.ok(sum(sizes) - sum(modules) < 50_000)
})

/** Runs in the page: every text there is, with the contrast it has. */
function contrasts() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number)
  const light = (color) => {
    const [r, g, b] = channels(color).map((it) => (it / 255 <= 0.04045 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = (element) => {
    const color = getComputedStyle(element).backgroundColor
    return channels(color)[3] === 0 ? ground(element.parentElement) : color
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const found = []
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))]
    found.push([walker.currentNode.data, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)])
  }
  return found
}
