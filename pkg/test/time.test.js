// Keys that expire: by a real clock and its timer, and by a clock that the test moves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import { open } from 'keyside'

test('a key is gone after its time', async () => {
  const db = await open()
  db.set('k', 1, { px: 30 })
  assert.equal(db.get('k'), '1')
  await wait(50)
  assert.equal(db.get('k'), null)
})

test('time passes inside a loop that never pauses', async () => {
  const db = await open()
  for (let i = 0; i < 1000; i++) db.set(`k:${i}`, 1, { px: 20 })
  for (const end = Date.now() + 30; Date.now() < end; );
  for (let i = 0; i < 1000; i++) assert.equal(db.get(`k:${i}`), null)
})

test('the clock may be the caller\'s', async () => {
  let now = 1_000_000
  const db = await open({ now: () => now })
  db.set('k', 1, { ex: 10 })
  now += 9_999
  assert.equal(db.get('k'), '1')
  now += 1
  assert.equal(db.get('k'), null)
})

test('a nearer deadline is kept after a farther one', async () => {
  let now = 1_000_000
  const db = await open({ now: () => now })
  db.set('far', 1, { ex: 1000 })
  db.set('near', 1, { ex: 10 })
  now += 10_000
  assert.deepEqual(db.mget('far', 'near'), ['1', null])
  now += 1_000_000
  assert.equal(db.get('far'), null)
})
