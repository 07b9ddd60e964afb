// The dashboard: numbers that move, and settings with an effect.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rates, commands } from '../dashboard/info.js'
import { goTo, page, type } from './visitor.js'

test('it shows what the store does', async () => {
  await type('MSET user:1 a user:2 b plain c', 'GET user:1', 'GET nothing', 'CONFIG SET slowlog-log-slower-than 0', 'KEYS *')
  await goTo('dashboard')
  await page.waitForSelector('.dashboard td:text-is("MSET")')
  await page.waitForSelector('.dashboard td:text-is("user:")')
  await page.waitForSelector('.dashboard td:text-is("KEYS *")')
  await page.waitForFunction(() => document.querySelectorAll('.plot canvas').length === 4)
  await page.waitForFunction(() => /\d\/s$/.test(document.querySelector('.card .legend b').textContent))
})

test('a limit of memory is set, and one that is none is refused', async () => {
  await type(...Array.from({ length: 20 }, (_, i) => `SET key:${i} ${'x'.repeat(60_000)}`))
  await goTo('dashboard')
  await page.fill('[aria-label=maxmemory]', 'much')
  await page.click('.limits button')
  await page.waitForSelector('.limits .error')
  const used = await page.evaluate(() => document.getElementById('gauge-memory').textContent)
  assert.match(used, /M$/)
  await page.fill('[aria-label=maxmemory]', '1500kb')
  await page.selectOption('[aria-label=maxmemory-policy]', 'allkeys-lru')
  await page.click('.limits button')
  await page.waitForSelector('.limits [role=status]:text-is("Set.")')
  await goTo('terminal')
  assert.deepEqual(await type('CONFIG GET maxmemory'), ['1# "maxmemory" => "1536000"'])
  assert.deepEqual(await type('CONFIG GET maxmemory-policy'), ['1# "maxmemory-policy" => "allkeys-lru"'])
})

test('counters become rates, even when they are reset', () => {
  const rates = new Rates(['n'], 3)
  for (const n of [10, 12, 20, 3, 3]) rates.add({ n }, 2)
  assert.deepEqual(rates.series.n, [4, 1.5, 0])
})

test('commands are read from INFO, those called most first', () => {
  const info = '# Commandstats\r\ncmdstat_get:calls=2,usec=4,usec_per_call=2.00,rejected_calls=0\r\ncmdstat_config|get:calls=3,usec=9,usec_per_call=3.00\r\n# Latencystats\r\nlatency_percentiles_usec_get:p50=1.003,p99=2.5,p99.9=7\r\n'
  const [first, second] = commands(info)
  assert.equal(first.name, 'CONFIG GET')
  assert.ok(Number.isNaN(first.p50))
  assert.deepEqual(second, { name: 'GET', calls: 2, mean: 2, p50: 1.003, p99: 2.5, p999: 7 })
})
