// Without a network, below any folder, under any static server; and what is said when a newer version is there.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { launch } from './chromium.js'

const BUILT = fileURLToPath(new URL('../../target/www', import.meta.url))
const PATIENCE = 20_000

let folder, server, address, browser

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyside-offline-'))
  await cp(BUILT, join(folder, 'some/where'), { recursive: true })
  // A server that knows nothing of the page, and sends no policy.
  server = spawn('python3', ['-u', '-m', 'http.server', '0', '--bind', '127.0.0.1', '--directory', folder], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = await once(server.stdout, 'data')
  address = `http://127.0.0.1:${/port (\d+)/.exec(line)[1]}/some/where/`
  browser = await launch()
})

after(async () => {
  await browser?.close()
  server?.kill()
  await rm(folder, { recursive: true })
})

test('python3 serves it in a folder; then it opens without a network, scripts and all; then it is told of a newer version', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  const complaints = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(address)
  await page.waitForSelector('[data-ready]')
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready
    while (active.state !== 'activated') await new Promise((resolve) => setTimeout(resolve, 20))
    active.postMessage('keep all')
    while (!(await caches.match(new URL('keyside/keyside.wasm', location.href)))) await new Promise((resolve) => setTimeout(resolve, 50))
  })
  assert.deepEqual(complaints, [])

  await context.setOffline(true)
  await page.reload()
  await page.waitForSelector('[data-ready]')
  for (const view of ['recipes', 'browser', 'dashboard', 'reference', 'files', 'proof']) {
    await page.evaluate((view) => (location.hash = `#/${view}`), view)
    await page.waitForSelector(`section.view[aria-label=${view[0].toUpperCase()}${view.slice(1)}]:not([hidden])`)
  }
  await page.evaluate(() => (location.hash = '#/terminal'))
  await page.waitForSelector('#terminal-view:not([hidden])')
  await page.keyboard.type(`EVAL "return 'ran'" 0`)
  await page.keyboard.press('Enter')
  await page.waitForSelector(`.reply:has-text('"ran"')`)
  await context.setOffline(false)
  assert.deepEqual(complaints, [])

  // A newer version is one whose worker has other bytes.
  const worker = join(folder, 'some/where/service-worker.js')
  await writeFile(worker, (await readFile(worker, 'utf8')).replace(/VERSION = '\w+'/, "VERSION = 'newer'"))
  await page.reload()
  await page.waitForSelector('#update:has-text("newer version")')
  await Promise.all([page.waitForEvent('load'), page.click('#update button')])
  await page.waitForSelector('[data-ready]')
  await page.waitForFunction(async () => (await caches.keys()).join() === `keyside ${location.href.split('#')[0]} newer`)
  await context.close()
})

test('the versions of two builds of the same files are the same', async () => {
  const version = async (built) => /VERSION = '(\w+)'/.exec(await readFile(join(built, 'service-worker.js'), 'utf8'))[1]
  const again = join(folder, 'again')
  execFileSync(process.execPath, [fileURLToPath(new URL('../build.js', import.meta.url)), again])
  assert.equal(await version(again), await version(BUILT))
})
