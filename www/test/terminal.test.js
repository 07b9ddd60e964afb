// The terminal as a person uses it, with the keyboard.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entries, input, page, paste, press, prompt, shown, type } from './visitor.js'

const hint = () => page.textContent(`${shown} .hint`)
const offered = () => page.locator(`${shown} [role=option]`).evaluateAll((rows) => rows.map((row) => row.firstChild.textContent))

test('typing is possible at once, and replies look like what they are', async () => {
  assert.deepEqual(await type('SET greeting "hello, world"'), ['OK'])
  assert.deepEqual(await type('GET greeting'), ['"hello, world"'])
  assert.deepEqual(await type('STRLEN greeting'), ['(integer) 12'])
  assert.deepEqual(await type('GET nothing'), ['(nil)'])
  assert.deepEqual(await type('HSET h a 1 b 2', 'HGETALL h'), ['1# "a" => "1"\n2# "b" => "2"'])
  assert.deepEqual(await entries('.status'), ['OK'])
  assert.deepEqual(await entries('.nothing'), ['(nil)'])
  await page.waitForFunction(() => document.getElementById('gauge-keys').textContent === '2')
  assert.equal(await page.textContent('#gauge-commands'), '6')
  assert.match(await page.textContent('#gauge-memory'), /^\d+(\.\d+)?[KM]$/)
})

test('an error looks like one, and so do quotes that do not end', async () => {
  await type('SET k text')
  assert.deepEqual(await type('INCR k'), ['(error) ERR value is not an integer or out of range'])
  assert.deepEqual(await type('SET k "text'), ['The quotes are not balanced.'])
  assert.equal((await entries('.error')).length, 2)
})

test('markup is text', async () => {
  assert.deepEqual(await type("SET k '<img src=x onerror=alert(1)>'", 'GET k'), ['"<img src=x onerror=alert(1)>"'])
  assert.equal(await page.locator('.log img').count(), 0)
})

test('completion offers commands and options, with the keyboard', async () => {
  await page.keyboard.type('zrank')
  assert.deepEqual(await offered(), [])
  await press('Escape')
  assert.equal(await input().inputValue(), '')
  await page.keyboard.type('getr')
  assert.deepEqual(await offered(), ['GETRANGE'])
  await press('Tab')
  assert.equal(await input().inputValue(), 'GETRANGE ')
  assert.match(await hint(), /^GETRANGE key start end/)
  assert.equal(await page.textContent(`${shown} mark`), 'key')
  await press('Escape')

  await page.keyboard.type('config ')
  const rows = await offered()
  assert.ok(rows.includes('CONFIG GET') && rows.includes('CONFIG SET'))
  await press('ArrowDown', 'ArrowDown', 'ArrowUp')
  const marked = await input().getAttribute('aria-activedescendant')
  assert.ok((await page.textContent(`#${marked}`)).startsWith(rows[0]))
  await press('Enter')
  assert.equal(await input().inputValue(), `${rows[0]} `)
  await press('Escape')

  await page.keyboard.type('SET k v ex')
  assert.deepEqual(await offered(), ['EXAT'])
  await press('Backspace')
  assert.deepEqual(await offered(), ['EX', 'EXAT'])
  await press('Escape')
  assert.equal(await input().getAttribute('aria-expanded'), 'false')
  assert.equal(await input().inputValue(), 'SET k v e')
})

test('a completion can be clicked, and typing goes on', async () => {
  await page.keyboard.type('get')
  await page.click(`${shown} [role=option]:has-text("GETDEL")`)
  await page.keyboard.type('k')
  assert.equal(await input().inputValue(), 'GETDEL k')
})

test('Tab leaves the line when there is nothing to complete', async () => {
  await press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BUTTON')
})

test('history recalls lines, and the one being typed', async () => {
  await type('PING', 'ECHO a')
  await page.keyboard.type('GET draft')
  await press('ArrowUp')
  assert.equal(await input().inputValue(), 'ECHO a')
  await press('ArrowUp')
  assert.equal(await input().inputValue(), 'PING')
  await press('ArrowDown', 'ArrowDown')
  assert.equal(await input().inputValue(), 'GET draft')
})

test('help explains a command, a container, a group, and itself', async () => {
  assert.match((await type('help zadd'))[0], /^ZADD key .*score member.*\nAdds members .*\nsince 1\.2\.0 · sorted-set/)
  assert.match((await type('help config'))[0], /CONFIG GET.*CONFIG SET/s)
  assert.match((await type('help list'))[0], /LPUSH.*RPUSH/s)
  assert.match((await type('help nothing'))[0], /^There is no command NOTHING\./)
  assert.match((await type('help'))[0], /string/)
  await page.keyboard.type('nothing')
  assert.equal(await hint(), 'There is no command NOTHING.')
})

test('Ctrl+L and clear empty the terminal', async () => {
  await type('PING')
  await press('Control+l')
  assert.deepEqual(await entries(), [])
  await type('PING', 'clear')
  assert.deepEqual(await entries(), [])
})

test('lines that are pasted are run, but for the last', async () => {
  await paste('SET a 1\n\nINCR a\r\nGET')
  assert.deepEqual(await entries('.reply'), ['OK', '(integer) 2'])
  assert.equal(await input().inputValue(), 'GET')
})

test('the prompt shows transactions and databases', async () => {
  assert.equal(await prompt(), 'keyside>')
  await type('MULTI')
  assert.equal(await prompt(), 'keyside(TX)>')
  assert.deepEqual(await type('INCR n'), ['QUEUED'])
  assert.deepEqual(await type('SELECT 2'), ['QUEUED'])
  assert.deepEqual(await type('EXEC'), ['1) (integer) 1\n2) OK'])
  assert.equal(await prompt(), 'keyside[2]>')
  assert.deepEqual(await type('GET n'), ['(nil)'])
  await type('SELECT 0')
  assert.equal(await prompt(), 'keyside>')
  assert.deepEqual(await type('GET n'), ['"1"'])
})

test('a connection that has ended is replaced', async () => {
  await type('SELECT 4', 'QUIT')
  assert.deepEqual(await type('PING'), ['The connection had ended; this is a new one.', 'PONG'])
  assert.equal(await prompt(), 'keyside>')
})

test('long replies are cut, long logs forgotten', async () => {
  await type(`RPUSH l ${'x '.repeat(1500)}`)
  const [list] = await type('LRANGE l 0 -1')
  assert.match(list, /\n1000\) "x"\n… and more; 1000 are shown$/)
  await paste('PING\n'.repeat(400))
  assert.equal((await entries()).length, 500)
})

test('keys are completed where a key is typed', async () => {
  await type('MSET user:1 a user:2 b "user: blank" c other d')
  await page.keyboard.type('GET us')
  assert.deepEqual(await offered(), ['user:1', 'user:2'])
  await press('ArrowDown', 'ArrowDown', 'Enter', 'Enter')
  assert.deepEqual(await entries('.reply:last-child'), ['"b"'])
  await page.keyboard.type('SET user:1 us')
  assert.deepEqual(await offered(), [], 'a value is no key')
  await press('Escape')
  await type('SELECT 1')
  await page.keyboard.type('DEL us')
  assert.deepEqual(await offered(), [], 'another database has others')
})

test('MONITOR streams what others ask', async () => {
  await type('MONITOR')
  await page.click('#new-tab')
  await type('SET watched 1')
  await page.click('#tab-1')
  await page.waitForSelector(`${shown} .message:has-text('"SET" "watched" "1"')`)
})

test('DEBUG POPULATE fills the database in slices, and can be stopped', async () => {
  await type('SELECT 1', 'DEBUG POPULATE 5000 many 10')
  await page.waitForSelector('.reply:last-child:has-text("OK")')
  assert.deepEqual(await type('DBSIZE'), ['(integer) 5000'])
  assert.deepEqual(await type('STRLEN many:4999'), ['(integer) 10'])
  await type('DEBUG POPULATE 100000000')
  await page.click('.log .line:text-is("Stop")')
  await page.waitForSelector('.reply:last-child:has-text("OK")')
  assert.deepEqual(await type('EXISTS key:0'), ['(integer) 1'])
})

test('a shared connection reaches one store from every tab of the browser', async () => {
  const other = await page.context().newPage()
  await other.goto(page.url())
  for (const it of [page, other]) {
    await it.click('#new-shared')
    await it.waitForSelector('[role=tab][aria-selected=true]:text-is("shared 2")')
  }
  const ask = async (it, line, reply) => {
    await it.fill(`${shown} input`, line)
    await it.press(`${shown} input`, 'Enter')
    await it.waitForSelector(`${shown} .reply:last-child:has-text(${JSON.stringify(reply)})`)
  }
  await ask(page, 'HSET h f v', '(integer) 1')
  await ask(other, 'HGETALL h', '1# "f" => "v"')
  await ask(other, 'SUBSCRIBE news', 'listening to news')
  await ask(page, 'PUBLISH news hi', '(integer) 1')
  await other.waitForSelector(`${shown} .message:has-text("hi")`)
  await ask(page, 'INCR h', 'WRONGTYPE')
  await ask(page, 'MULTI', 'OK')
  assert.equal(await prompt(), 'keyside(TX)>')
  await page.click('#tab-1')
  assert.deepEqual(await type('EXISTS h'), ['(integer) 0'], 'the store of the tab alone is another')
})
