// Keys that expire: by a real clock and its timer, and by a clock that the test moves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import { open } from 'keyside'

test('a key is gone after its time', async () => {
  const db = await open()
  db.set('k', 1, { px: 500 })
  assert.equal(db.get('k'), '1')
  await wait(520)
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

test('what has expired is removed by the timer, with nobody asking, and then announced', async () => {
  const db = await open()
  const listener = db.connect()
  const expired = new Promise((resolve) => listener.on('message', (channel, key) => resolve([channel, key])))
  db.call('CONFIG', 'SET', 'notify-keyspace-events', 'Ex')
  assert.equal(listener.call('SUBSCRIBE', '__keyevent@0__:expired'), 1)
  db.set('k', 1, { px: 20 })
  assert.deepEqual(await Promise.race([expired, wait(5000, 'nothing')]), ['__keyevent@0__:expired', 'k'])
})
