// The reference: every command with what it takes and answers, and its transcript as it runs.

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { sections, steps } from '../reference/transcript.js'
import { shape } from '../reference/scene.js'
import { forms } from '../reference/typings.js'
import { readAll } from '../reply.js'
import { goTo, page } from './visitor.js'

const opened = (name) => page.waitForSelector(`.reference article h2:text-is("${name}")`)
const text = (selector) => page.locator(`.reference ${selector}`).allTextContents()

test('a command shows its usage, its replies in both protocols, its typings and its transcript', async () => {
  await goTo('reference/HGETALL')
  await opened('HGETALL')
  assert.deepEqual(await text('.usage'), ['HGETALL key'])
  await page.waitForSelector('.reference [aria-label=Replies]')
  const replies = await text('[aria-label=Replies] td')
  assert.ok(replies.some((it) => it.startsWith('array of bulk string*')), String(replies))
  assert.ok(replies.some((it) => it.startsWith('map of bulk string to bulk string%')))
  assert.match((await text('[aria-label="In TypeScript"]'))[0], /db\.hgetall\(key: Value\): Record<string, Bytes>/)
  assert.ok((await text('.errors li')).some((it) => it.startsWith('WRONGTYPE')))
  await page.waitForSelector('.reference .transcript .asked:has-text("HGETALL")')
})

test('a transcript can be edited and run, on a store of its own', async () => {
  await goTo('reference/SET')
  await opened('SET')
  await page.locator('.block button:text-is("Edit")').first().click()
  await page.locator('.block textarea').first().fill('> SET mine 1 EX 10\n+4000ms\n> TTL mine\nA> SUBSCRIBE news\n> PUBLISH news hi\n> GET "unbalanced')
  await page.keyboard.press('Control+Enter')
  await page.waitForSelector('.transcript .reply:has-text("(integer) 6")')
  const shown = await page.locator('.transcript').first().locator('> div').allTextContents()
  assert.ok(shown.includes('A< 1) "message"\n2) "news"\n3) "hi"'), String(shown))
  assert.ok(shown.includes('(error) The quotes are not balanced.'))
  assert.equal(await page.textContent('#gauge-keys'), '0')
})

test('commands are searched and chosen with the keyboard, and have addresses', async () => {
  await goTo('reference')
  await opened('SET')
  await page.keyboard.press('/')
  await page.focus('.reference [type=search]')
  await page.keyboard.type('sorted rank')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => location.hash.startsWith('#/reference/Z'))
  await page.fill('.reference [type=search]', 'config get')
  await page.keyboard.press('Enter')
  await opened('CONFIG GET')
  await goTo('reference/config')
  await opened('CONFIG')
  assert.ok((await text('article li a')).includes('CONFIG SET'))
  await page.fill('.reference [type=search]', 'nothing like that')
  assert.deepEqual(await text('.status-line'), ['No command is like that.'])
})

test('every command opens, and its transcript runs', async () => {
  await goTo('reference')
  await opened('SET')
  const names = await page.locator('.reference .listing a').allTextContents()
  assert.ok(names.length > 300)
  const bare = []
  for (const name of names.filter((_, i) => i % 12 === 0)) {
    await goTo(`reference/${name.replace(' ', '-')}`)
    await opened(name)
    await page.waitForFunction(() => !document.querySelector('.reference article .notice')?.textContent.includes('running'))
    if ((await page.locator('.reference .transcript > div').count()) === 0) bare.push(name)
  }
  assert.ok(bare.length < 4, String(bare))
})

test('all transcripts are read', () => {
  const folder = new URL('../../tests/commands/', import.meta.url)
  const files = readdirSync(folder).filter((file) => file.endsWith('.md') && file !== 'README.md')
  const all = files.flatMap((file) => sections(readFileSync(new URL(file, folder), 'utf8')))
  assert.ok(all.length > 150)
  for (const { commands, parts } of all) assert.ok(parts.some(({ block }) => block) || commands.length > 0, String(commands))
  assert.deepEqual(all.find(({ commands }) => commands.includes('HSET')).commands, ['HSET', 'HMSET'])
})

test('steps are requests, times and comments', () => {
  assert.deepEqual(steps('> SET k "ab"*2\nA> MGET f{1..3}\n+20ms\n# so\nPING\n\n').map(({ client, line, wait }) => [client, line, wait]), [
    ['', 'SET k "abab"', undefined],
    ['A', 'MGET f1 f2 f3', undefined],
    [undefined, undefined, 20],
    ['', 'PING', undefined],
  ])
})

test('replies have a shape in words', () => {
  const of = (text) => shape(readAll(Buffer.from(text))[0])
  assert.equal(of(':1\r\n'), 'integer')
  assert.equal(of('+OK\r\n'), 'simple string OK')
  assert.equal(of('*0\r\n'), 'empty array')
  assert.equal(of('*2\r\n$1\r\na\r\n_\r\n'), 'array of bulk string or null')
  assert.equal(of('%1\r\n$1\r\na\r\n,1.5\r\n'), 'map of bulk string to double')
})

test('methods are found in the typings', () => {
  const typings = ['    get(key: Value): Bytes | null;\n    getex(key: Value): null;\n    config_get(a: Value): null;\n']
  assert.deepEqual(forms(typings, 'GET'), ['get(key: Value): Bytes | null'])
  assert.deepEqual(forms(typings, 'CONFIG GET'), ['config_get(a: Value): null'])
  assert.deepEqual(forms(typings, 'NOTHING'), [])
})
