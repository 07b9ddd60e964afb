// The recipes as a reader follows them: what is shown is what runs, and it runs in the page.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RECIPES } from '../recipes/index.js'
import { goTo, hasCommand, page } from './visitor.js'

test('every recipe runs here, and runs again, without an error', async () => {
  for (const { id, name, needs = [] } of RECIPES) {
    await goTo(`recipes/${id}`)
    await page.waitForSelector(`article h2:text-is("${name}")`)
    const isRunnable = (await Promise.all(needs.map(hasCommand))).every(Boolean)
    assert.equal(await page.isVisible('article .notice'), !isRunnable, id)
    if (!isRunnable) continue
    for (let turn = 0; turn < (needs.length ? 1 : 2); turn++) {
      await page.click('article .primary')
      await page.waitForSelector('.output .done, .output .error')
      assert.deepEqual(await page.locator('.output .error').allTextContents(), [], id)
      assert.ok((await page.locator('.output > div').count()) > 2, id)
    }
  }
})

test('a recipe shows its code in three languages, moved through with the keyboard', async () => {
  await goTo('recipes/leaderboard')
  assert.match(await page.textContent('article .code pre'), /import \{ open \} from 'keyside'[^]*\ndb\.zadd\('board', \{ ada: 3200/)
  await page.focus('[data-language=javascript]')
  await page.keyboard.press('ArrowRight')
  assert.match(await page.textContent('article .code pre'), /^import redis\n/)
  await page.keyboard.press('ArrowRight')
  assert.match(await page.textContent('article .code pre'), /^ZADD board 3200 ada/)
  await page.click('#views a[href="#/terminal"]')
  await page.goBack()
  assert.equal(await page.getAttribute('[data-language=cli]', 'aria-selected'), 'true')
})

test('every recipe for redis-cli runs in the terminal without an error', async () => {
  for (const { id, needs = [] } of RECIPES) {
    if (!(await Promise.all(needs.map(hasCommand))).every(Boolean)) continue
    await goTo(`recipes/${id}`)
    await page.waitForSelector(`.listing a[href="#/recipes/${id}"][aria-current]`)
    await page.click('article .actions button:has-text("terminal")')
    await page.waitForSelector('#terminal-view:not([hidden])')
  }
  assert.deepEqual(await page.locator('.log .error').allTextContents(), [])
  assert.equal(await page.locator('[role=tab][id^=tab-]').count(), 2)
})
