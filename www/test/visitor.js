// A person at the page: opens it in Chromium, types, and reads what is shown.

import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve } from '../serve.js'
import { launch } from './chromium.js'

const PATIENCE = 10_000
/** What is served. */
export const ROOT = fileURLToPath(new URL('../../target/www', import.meta.url))

let server, address, browser

/** The page as it is open now, anew for each test. @type {import('playwright-core').Page} */
export let page

/** What the page has complained of in this visit, and asked of other hosts. A test must end with nothing. */
export let complaints = []

before(async () => {
  server = await serve(ROOT)
  address = `http://127.0.0.1:${server.address().port}/`
  browser = await launch()
})

after(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
})

beforeEach(() => visit())

afterEach(async () => {
  await page.context().close()
  assert.deepEqual(complaints, [])
})

/** Opens the page anew, in a window with these options. */
export async function visit(options = {}) {
  await page?.context().close()
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block', ...options })
  page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  complaints = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && !/blocked by Playwright/.test(message.text()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => request.url().startsWith(address) || complaints.push(request.url()))
  await page.goto(address)
  if (options.javaScriptEnabled ?? true) await page.waitForSelector('[data-ready]')
}

/** The panel that is shown, as a selector. */
export const shown = '[role=tabpanel]:not([hidden])'

/** The line being typed. */
export const input = () => page.locator(`${shown} input`)

/** The prompt before it. */
export const prompt = () => page.textContent(`${shown} .ask .prompt`)

/** The texts of all entries of the log, or of those that a selector finds. */
export const entries = (selector = '.log > :not(.greeting)') => page.locator(`${shown} ${selector}`).allTextContents()

/** Presses keys, one after the other. */
export async function press(...keys) {
  for (const key of keys) await page.keyboard.press(key)
}

/** Types lines, and returns what is shown for the last. */
export async function type(...lines) {
  for (const line of lines) {
    await page.keyboard.insertText(line)
    await press('Enter')
  }
  const all = await entries()
  const asked = all.findLastIndex((text) => text.endsWith(`> ${lines.at(-1)}`))
  return all.slice(asked + 1)
}

/** Pastes a text where the focus is. */
export function paste(text) {
  return page.evaluate((text) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text', text)
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  }, text)
}

/** Goes to a view by its address. */
export async function goTo(path) {
  await page.evaluate((path) => (location.hash = `#/${path}`), path)
}

/**
 * The longest task of the page's main thread while something is done, in milliseconds: of its own time, which other programs
 * on the machine do not lengthen, and by the clock.
 */
export async function tasksDuring(work) {
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline'] })
  let events
  try {
    await work()
  } finally {
    events = JSON.parse(await browser.stopTracing()).traceEvents
  }
  const main = events.find(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
  const tasks = events.filter(({ name, pid, tid, ph }) => name === 'RunTask' && ph === 'X' && pid === main.pid && tid === main.tid)
  assert.ok(tasks.length > 0)
  const longest = (field) => tasks.reduce((most, it) => Math.max(most, it[field] ?? 0), 0) / 1000
  return { processor: longest('tdur'), wall: longest('dur') }
}

/** Whether the store has a command; asked through the package, beside the page's own store. */
export function hasCommand(name) {
  return page.evaluate(async (name) => {
    const { open } = await import('./keyside/lite/index.js')
    const db = await open()
    const [found] = db.call('COMMAND', 'INFO', name)
    db.close()
    return found !== null
  }, name)
}
