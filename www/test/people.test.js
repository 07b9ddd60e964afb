// For everybody: axe-core finds nothing in any view, light or dark, wide or narrow; the keyboard suffices; what fails says why.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { complaints, entries, goTo, page, press, serveWith, type, visit } from './visitor.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const VIEWS = ['terminal', 'recipes/leaderboard', 'browser/', 'browser/text', 'browser/board', 'browser/x', 'browser/h', 'browser/l', 'browser/visitors', 'dashboard', 'reference/ZRANGE', 'reference/CONFIG', 'files', 'proof']
/** In the dark only colours are others. */
const RULES = { dark: { runOnly: ['color-contrast'] } }
const LOOKS = { light: { colorScheme: 'light' }, dark: { colorScheme: 'dark' }, 'a phone': { colorScheme: 'light', viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } }

for (const [look, options] of Object.entries(LOOKS)) {
  test(`axe-core finds nothing, and nothing is too wide: ${look}`, async () => {
    // The policy of the page lets no script in from elsewhere, so this one comes in by the debugger.
    await visit({ ...options, bypassCSP: true })
    await type('SET text hello', 'ZADD board 1 ada 2 grace', 'XADD x 1-1 f v', 'XGROUP CREATE x g 0', 'XREADGROUP GROUP g c STREAMS x >', 'HSET h f v', 'RPUSH l a b', 'PFADD visitors a', 'GET nothing', 'INCR text', 'help get')
    await page.evaluate(AXE)
    const found = []
    for (const view of VIEWS) {
      await goTo(view)
      const [name] = view.split('/')
      await page.waitForSelector(name === 'terminal' ? '#terminal-view:not([hidden])' : `section.view[aria-label=${name[0].toUpperCase()}${name.slice(1)}]:not([hidden])`)
      await page.waitForFunction(() => !/is running …/.test(document.querySelector('.reference:not([hidden]) article')?.textContent ?? ''))
      const violations = await page.evaluate(async (rules) => (await axe.run(rules)).violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`), RULES[look] ?? {})
      found.push(...violations.map((it) => `${view}: ${it}`))
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      if (wider > 0) found.push(`${view}: ${wider} pixels too wide`)
    }
    console.log(`axe-core, ${look}: ${found.length} violations in ${VIEWS.length} views`)
    assert.deepEqual(found, [])
  })
}

test('every view is reached, used and left with the keyboard alone', async () => {
  const reached = new Set(['Terminal'])
  await page.focus('#views a')
  for (let i = 0; i < 6; i++) {
    await press('Tab')
    reached.add(await page.evaluate(() => document.activeElement.textContent))
  }
  for (const name of ['Terminal', 'Recipes', 'Browser', 'Dashboard', 'Reference', 'Files', 'Proof']) assert.ok(reached.has(name), `${name}: ${[...reached]}`)
  for (const [name, done] of [['Recipes', '.output .done'], ['Browser', 'article h2:text-is("Keys")'], ['Reference', '.reference h2'], ['Files', '.zone'], ['Proof', '.proof h2']]) {
    await page.focus(`#views a:text-is("${name}")`)
    await press('Enter')
    await page.waitForSelector(`section.view[aria-label=${name}]:not([hidden])`)
    if (name === 'Recipes') {
      await page.focus('article .primary')
      await press('Enter')
    }
    await page.waitForSelector(done)
  }
})

test('a script that never ends is ended by its budget, and the page goes on', { timeout: 60_000 }, async () => {
  page.setDefaultTimeout(50_000)
  await type('SET k v', 'EVAL "while true do end" 0')
  await page.waitForSelector('.reply:has-text("longer than a script may take")')
  assert.deepEqual(await type('GET k'), ['"v"'])
})

test('the first script brings what runs scripts, and everything stays', async () => {
  await type('SET k v', 'SELECT 2', 'SET other 1', 'CONFIG SET maxmemory 50mb', 'EVAL "return redis.call(\'GET\', \'other\')" 0')
  await page.waitForSelector('.reply:has-text("\\"1\\"")')
  assert.deepEqual(await type('CONFIG GET maxmemory'), ['1# "maxmemory" => "52428800"'])
  assert.deepEqual(await type('SELECT 0', 'GET k'), ['"v"'])
  assert.deepEqual(await entries('.error'), [])
})

test('a policy that forbids WebAssembly is named as the reason', async () => {
  const { address, close } = await serveWith({ 'Content-Security-Policy': "default-src 'self'; script-src 'self'" })
  try {
    await page.goto(address)
    await page.waitForSelector('#failure:not([hidden])')
    assert.match(await page.textContent('#failure'), /forbids WebAssembly.*script-src 'wasm-unsafe-eval'/s)
  } finally {
    await close()
  }
  assert.ok(complaints.some((it) => /Content Security Policy|unsafe-eval/i.test(it)) || complaints.every((it) => it.startsWith('http')), String(complaints))
  complaints.length = 0
})
