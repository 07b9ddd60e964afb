// The browser: keys found, followed and changed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { glob } from '../browser/keys.js'
import { entries, goTo, page, press, tasksDuring, type } from './visitor.js'

const rowsAre = (...expected) => page.waitForFunction((expected) => JSON.stringify(Array.from(document.querySelectorAll('.row .name'), (it) => it.textContent)) === JSON.stringify(expected), expected)

test('keys are grouped by prefix, found by pattern and by type', async () => {
  await type('MSET user:1 a user:2 b user:1:log c plain d', 'HSET hash f v')
  await goTo('browser')
  await rowsAre('user:', 'hash', 'plain')
  await page.click('.row.folder')
  await rowsAre('1:', '1', '2')
  await page.click('.path a:first-child')
  await rowsAre('user:', 'hash', 'plain')
  await page.fill('.search input', '*:[12]')
  await rowsAre('user:1', 'user:2')
  await page.fill('.search input', '')
  await page.selectOption('.search select', 'hash')
  await rowsAre('hash')
  await page.fill('.search input', 'nothing')
  await page.waitForSelector('.status-line:text-is("No key is like that.")')
})

test('the browser follows the store, and leaves its settings as they were', async () => {
  await type('CONFIG SET notify-keyspace-events Kx')
  await goTo('browser')
  await page.waitForSelector('.status-line:has-text("No keys yet")')
  await goTo('terminal')
  assert.deepEqual(await type('CONFIG GET notify-keyspace-events'), ['1# "notify-keyspace-events" => "xK"'])
  await goTo('browser')
  await page.fill('[aria-label="New key"]', 'job')
  await page.fill('[aria-label="Its value"]', 'v')
  await page.click('article button[type=submit]')
  await rowsAre('job')
  await page.fill('.seconds', '1')
  await page.click('article button:text-is("Expire")')
  await page.waitForSelector('.row .faint:text-is("0:01")')
  await rowsAre()
  await page.waitForSelector('article .notice:has-text("no longer")')
})

test('each type has its editor', async () => {
  await type(
    'SET text hello', `SET json '{"a":[1]}'`, 'SET bytes "\\x00\\xff"', 'HSET h f v', 'RPUSH l a b c', 'SADD s m', 'ZADD z 1 one 2 two',
    'XADD x 1-1 f v', 'XGROUP CREATE x g 0', 'XREADGROUP GROUP g c STREAMS x >', 'PFADD visitors a b c',
  )
  const open = async (key) => {
    await goTo(`browser/${key}`)
    await page.waitForSelector(`article h2:text-is("${key}")`)
  }
  await open('text')
  await page.fill('textarea', 'changed')
  await page.click('article .primary')
  await open('json')
  assert.equal(await page.inputValue('textarea'), '{\n  "a": [\n    1\n  ]\n}')
  await open('bytes')
  assert.match(await page.textContent('article pre'), /^000000 {2}00 ff/)
  await page.click('[data-mode=bits]')
  assert.match(await page.textContent('article .fact'), /8 of 16/)
  await open('h')
  await page.fill('[aria-label="Value of f"]', 'w')
  await page.keyboard.press('Tab')
  await open('l')
  await page.click('[aria-label="Remove element 1"]')
  await open('s')
  await page.fill('[aria-label="New member"]', 'n')
  await page.click('article form button')
  await open('z')
  assert.deepEqual(await page.locator('td:nth-child(2)').allTextContents(), ['two', 'one'])
  await page.fill('[aria-label="Score of one"]', '3')
  await page.keyboard.press('Tab')
  await page.waitForFunction(() => document.querySelector('td:nth-child(2)').textContent === 'one' || document.querySelectorAll('tbody td:nth-child(2)')[0].textContent === 'one')
  await page.fill('[aria-label="Score of one"]', 'no number')
  await page.keyboard.press('Tab')
  await page.waitForSelector('article .error:has-text("not a valid float")')
  await open('x')
  assert.match(await page.textContent('article'), /g 1 consumers, 1 pending[^]*1-1[^]*f/)
  await open('visitors')
  assert.match(await page.textContent('article .fact'), /different things: 3/)
  await goTo('terminal')
  assert.deepEqual(await type('GET text'), ['"changed"'])
  assert.deepEqual(await type('HGET h f'), ['"w"'])
  assert.deepEqual(await type('LRANGE l 0 -1'), ['1) "a"\n2) "c"'])
  assert.deepEqual(await type('SCARD s'), ['(integer) 2'])
})

test('a million keys do not freeze the page', async () => {
  await goTo('browser')
  await page.waitForSelector('article button:text-is("Add a million keys")')
  const tasks = await tasksDuring(async () => {
    await page.click('article button:text-is("Add a million keys")')
    await page.waitForSelector('article button:text("Stop at")')
    await page.waitForSelector('article button:text-is("Add a million keys")', { timeout: 50_000 })
    await goTo('browser/many:')
    await page.waitForFunction(() => /^1,000,000 keys$/.test(document.querySelector('.status-line')?.textContent), null, { timeout: 40_000 })
    await page.evaluate(async () => {
      const list = document.querySelector('.long-list')
      for (let i = 0; i < 30; i++) {
        list.scrollTop = (list.scrollHeight / 30) * i
        await new Promise(requestAnimationFrame)
      }
    })
    const rows = await page.locator('.row').count()
    assert.ok(rows > 5 && rows < 100)
    await goTo('terminal')
    await page.waitForSelector('#terminal-view:not([hidden])')
    await page.keyboard.type('GET many:1234')
    await press('Enter')
    assert.deepEqual(await entries('.reply'), ['"value:1234"'])
  })
  console.log(`a million keys: the longest task takes ${tasks.processor.toFixed(0)} ms of the main thread's time, ${tasks.wall.toFixed(0)} ms by the clock of this machine`)
  assert.ok(tasks.processor < 50, `${tasks.processor} ms`)
})

test('patterns are those of the store', () => {
  const all = [['a*c', 'abbc', true], ['a?c', 'ac', false], ['[a-c]x', 'bx', true], ['[^a]x', 'ax', false], ['\\*', '*', true], ['\\*', 'x', false], ['a.c', 'abc', false], ['(', '(', true]]
  for (const [pattern, name, expected] of all) assert.equal(glob(pattern).test(name), expected, pattern)
})
