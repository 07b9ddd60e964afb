// How many SET a second a store takes while it is kept, in Chromium and in Node; and that all of them are there afterwards.
// Beside each figure stands that of a store in memory only, in the same place at the same time.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'

import { chromium } from 'playwright-core'

import { open } from '../pkg/dist/node.js'

const SECONDS = +(process.env.SECONDS ?? 10)
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' }

/** Sets keys for some seconds, a slice at a time so that others have a turn; then everything is read again. */
const RUN = async (open, persist, seconds) => {
  const fill = async (db) => {
    const value = 'x'.repeat(64)
    const begun = performance.now()
    let n = 0
    let longest = 0
    while (performance.now() - begun < seconds * 1000) {
      const slice = performance.now()
      while (performance.now() - slice < 8) for (let i = 0; i < 100; i++) db.set('key:' + (n++ % 100_000), value)
      await new Promise((resolve) => setTimeout(resolve, 0))
      longest = Math.max(longest, performance.now() - slice)
    }
    db.set('n', n)
    return { n, longest, rate: n / (performance.now() - begun) }
  }
  const memory = await open()
  const alone = await fill(memory)
  await memory.close()
  const db = await open({ persist })
  const kept = await fill(db)
  const barrier = performance.now()
  await db.persisted()
  const waited = performance.now() - barrier
  const keys = db.dbsize()
  await db.close()
  const began = performance.now()
  const again = await open({ persist })
  const loaded = performance.now() - began
  const isWhole = again.get('n') === String(kept.n) && again.dbsize() === keys
  await again.close()
  return { persist, alone: Math.round(alone.rate * 1000), kept: Math.round(kept.rate * 1000), longestMs: Math.round(kept.longest), barrierMs: Math.round(waited), loadMs: Math.round(loaded), isWhole }
}

const show = ({ persist, alone, kept, longestMs, barrierMs, loadMs, isWhole }) =>
  console.log(`${persist.padEnd(16)} ${kept.toLocaleString('en')} SET/s kept, ${alone.toLocaleString('en')} in memory; longest turn ${longestMs} ms, barrier ${barrierMs} ms, opened again in ${loadMs} ms, ${isWhole ? 'nothing lost' : 'SOMETHING WAS LOST'}`)

const directory = mkdtempSync(join(tmpdir(), 'keyside-bench-'))
show({ ...(await RUN(open, `file://${directory}`, SECONDS)), persist: 'file:// (Node)' })
rmSync(directory, { recursive: true, force: true })

const server = createServer(async ({ url }, response) => {
  const body = await readFile(new URL(`../pkg${url}`, import.meta.url)).catch(() => '<!doctype html>')
  response.writeHead(200, { 'content-type': TYPES[extname(url)] ?? 'text/html' }).end(body)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
const page = await browser.newPage()
await page.goto(`http://127.0.0.1:${server.address().port}/`)
for (const persist of ['idb://bench', 'opfs://bench']) {
  show(await page.evaluate(`(async () => (${RUN})((await import('/dist/index.js')).open, '${persist}', ${SECONDS}))()`))
}
await browser.close()
server.close()
