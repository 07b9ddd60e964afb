// Proof: the benchmark and the simulation run in the page, and the simulation finds what is wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from '../../pkg/dist/lite/node.js'
import { median } from '../proof/benchmark.js'
import { Simulation } from '../proof/simulation.js'
import { goTo, page } from './visitor.js'

test('the simulation runs from the seed in the address, and its invariants tick', async () => {
  await goTo('proof/42')
  await page.waitForFunction(() => document.querySelectorAll('.invariants b').length === 5 && Array.from(document.querySelectorAll('.invariants b')).every((it) => Number(it.textContent.replaceAll(',', '')) > 0), null, { timeout: 30_000 })
  assert.equal(await page.inputValue('[aria-label=Seed]'), '42')
  assert.match(await page.textContent('.proof [role=status]:has-text("Seed")'), /^Seed 42: [\d,]+ requests/)
  await page.click('.proof button:text-is("Stop")')
  await page.waitForSelector('.proof button:text-is("Run")')
  await page.click('.proof button:text-is("Another seed")')
  await page.waitForFunction(() => /^#\/proof\/\d+$/.test(location.hash) && location.hash !== '#/proof/42')
})

test('the benchmark names the machine, measures four beside each other, and stops', async () => {
  await goTo('proof')
  await page.waitForSelector('.proof p:text-matches("Chrom.*processors")')
  await page.click('.proof button:text-is("Measure here")')
  await page.waitForSelector('.proof [aria-label=Medians]', { timeout: 40_000 })
  assert.deepEqual(await page.locator('.proof [aria-label=Medians] tbody td:first-child').allTextContents(), ['keyside', 'Map', 'lru-cache', 'idb-keyval'])
  assert.equal(await page.locator('.proof .plot canvas').count(), 2)
  await page.click('.proof button:text-is("Stop")')
  await page.waitForSelector('.proof [role=status]:has-text("Stopped")', { timeout: 30_000 })
})

test('the same seed is the same run, whatever the store’s own chance is', async () => {
  const requests = []
  for (let turn = 0; turn < 2; turn++) {
    const simulation = await Simulation.begin(open, 7)
    requests.push(Array.from({ length: 2000 }, () => simulation.step().words.join(' ')).join('\n'))
    await simulation.compare()
    simulation.end()
  }
  assert.equal(requests[0], requests[1])
})

test('a store that answers wrongly is found out', async () => {
  const lying = async (options) => {
    const db = await open(options)
    const { connect } = db
    db.connect = () => {
      const connection = connect.call(db)
      const { send } = connection
      connection.send = (...words) => (words[0] === 'INCR' ? new TextEncoder().encode(':0\r\n') : send.apply(connection, words))
      return connection
    }
    return db
  }
  const simulation = await Simulation.begin(lying, 7)
  assert.throws(() => Array.from({ length: 500 }, () => simulation.step()), /INCR key:\d+: Each reply is what the model says/)
  simulation.end()
})

test('the middle one is the median', () => {
  assert.equal(median([5, 1, 9]), 5)
  assert.equal(median([2]), 2)
})
