// A store as a file in Redis's format, and a store out of one.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { open } from 'keyside'

test('a snapshot holds everything, expiry included', async () => {
  const db = await open()
  db.set('text', 'ü', { ex: 100 })
  db.hset('h', { a: 1 })
  db.zadd('z', { x: 1.5 })
  db.rpush('l', ...Array.from({ length: 1000 }, (_, i) => i))
  db.xadd('s', '1-1', { f: 'v' })
  db.select(3)
  db.set('elsewhere', '1')
  db.set('large', 'x'.repeat(3 << 20))
  const file = db.snapshot()
  assert.equal(String.fromCharCode(...file.subarray(0, 5)), 'REDIS')
  db.flushall()
  const other = await open({ snapshot: file })
  assert.deepEqual([other.get('text'), other.ttl('text'), other.hgetall('h'), other.zscore('z', 'x'), other.llen('l'), other.xlen('s')], ['ü', 100, { a: '1' }, 1.5, 1000, 1])
  other.select(3)
  assert.deepEqual([other.get('elsewhere'), other.strlen('large')], ['1', 3 << 20])
})

test('what had expired when the file was read is not there, by the clock that is given', async () => {
  let now = 1_000_000
  const db = await open({ now: () => now })
  db.set('k', 'v', { px: 500 })
  const file = db.snapshot()
  now += 1000
  assert.equal((await open({ snapshot: file, now: () => now })).exists('k'), 0)
})

test('a damaged file is refused, and says where', async () => {
  const db = await open()
  db.hset('h', { a: 1, b: 2 })
  const file = db.snapshot()
  await assert.rejects(open({ snapshot: file.subarray(0, file.length - 9) }), /^Error: keyside: the snapshot cannot be read: .* at byte \d+/)
  await assert.rejects(open({ snapshot: new Uint8Array(0) }), /cannot be read/)
  await assert.rejects(open({ snapshot: new TextEncoder().encode('hello') }), /cannot be read/)
  const flipped = file.slice()
  flipped[file.length - 12] ^= 1
  await assert.rejects(open({ snapshot: flipped }), /cannot be read/)
})
