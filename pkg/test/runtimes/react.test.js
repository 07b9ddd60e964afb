// Components in a page: they render when what they show has changed, and not otherwise.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'
import { chromium } from 'playwright-core'

import { serve } from './project.js'

const MAIN = `
import { createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { open } from 'keyside/base64'
import { useHash, useKey, useSortedSet } from 'keyside/react'
import { connect, serve } from 'keyside/worker'

const db = await open()
const { port1, port2 } = new MessageChannel()
serve(db, port1)
const remote = await connect(port2)
const renders = { key: 0, hash: 0, board: 0, there: 0 }
const shows = (name, use) => function Component() {
  renders[name]++
  return createElement('p', { id: name }, JSON.stringify(use()) ?? 'not yet')
}
const parts = [
  shows('key', () => useKey(db, 'k[1]')), shows('hash', () => useHash(db, 'h')),
  shows('board', () => useSortedSet(db, 'board', { rev: true, stop: 1 })), shows('there', () => useKey(remote, 'k[1]')),
]
createRoot(document.body).render(parts.map((part, i) => createElement(part, { key: i })))
Object.assign(globalThis, { db, renders })
`

test('a component renders when its value has changed, once for all changes of a turn', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'keyside-react-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  await build({
    stdin: { contents: MAIN, resolveDir: fileURLToPath(new URL('../..', import.meta.url)) }, outfile: join(root, 'main.js'),
    bundle: true, format: 'esm', platform: 'browser', define: { 'process.env.NODE_ENV': '"production"' }, logLevel: 'error',
  })
  writeFileSync(join(root, 'index.html'), '<!doctype html><meta charset="utf-8"><body></body><script type="module" src="/main.js"></script>')
  const server = await serve(root)
  t.after(() => server.close())
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', timeout: 30_000, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.goto(server.url)
  const shown = () => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('p')].map(({ id, textContent }) => [id, textContent])))
  const settle = async () => {
    await page.waitForTimeout(200)
    return page.evaluate(() => ({ ...renders }))
  }
  await page.waitForFunction(() => document.querySelector('#there')?.textContent === 'null')
  const first = await settle()
  assert.deepEqual(await shown(), { key: 'null', hash: '{}', board: '[]', there: 'null' })
  await page.evaluate(() => {
    for (let i = 0; i < 100; i++) db.set('k[1]', i)
    db.set('k1', 'the key is no pattern')
    db.hset('h', { a: 1 })
    db.zadd('board', { ada: 3, bob: 2, eve: 1 })
  })
  const second = await settle()
  assert.deepEqual(await shown(), { key: '"99"', hash: '{"a":"1"}', board: '[["ada",3],["bob",2]]', there: '"99"' })
  assert.deepEqual([second.key - first.key, second.hash - first.hash, second.board - first.board], [1, 1, 1])
  await page.evaluate(() => {
    db.set('k[1]', 99)
    db.hset('h', { a: 1 })
    db.zadd('board', { eve: 1.5 })
    db.set('else', 1)
  })
  assert.deepEqual(await settle(), second, 'nothing that is shown has changed')
})
