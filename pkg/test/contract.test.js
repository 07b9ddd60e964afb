// What the package promises in its first lines, in the order of its README.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ReplyError, open } from 'keyside'

test('strings are set, with options, and read', async () => {
  const db = await open()
  assert.equal(db.set('cache:product:123', '{"name":"iPhone"}', { ex: 60 }), 'OK')
  assert.equal(db.get('cache:product:123'), '{"name":"iPhone"}')
  assert.equal(db.set('cache:product:123', 'other', { nx: true }), null)
  assert.equal(db.set('cache:product:123', 'other', { xx: true, get: true, keepttl: true }), '{"name":"iPhone"}')
  assert.equal(db.get('nothing'), null)
})

test('hashes come back as objects', async () => {
  const db = await open()
  assert.equal(db.hset('session:abc123', { user_id: 1, role: 'user' }), 2)
  assert.deepEqual(db.hgetall('session:abc123'), { user_id: '1', role: 'user' })
  assert.equal(db.hset('session:abc123', new Map([['role', 'admin']])), 0)
  assert.equal(db.hset('session:abc123', [['a', 1], ['b', 2n]]), 2)
  assert.deepEqual(db.hmget('session:abc123', 'role', 'a', 'c'), ['admin', '1', null])
  assert.deepEqual(db.hgetall('nothing'), {})
})

test('sorted sets take scores as numbers and return them so', async () => {
  const db = await open()
  assert.equal(db.zadd('board', { ada: 10, bob: 5 }), 2)
  assert.equal(db.zadd('board', [[7.5, 'cyd']], { nx: true }), 1)
  assert.equal(db.zadd('board', new Map([['dan', -Infinity]])), 1)
  assert.deepEqual(db.zrange('board', 0, -1, { withscores: true }), [['dan', -Infinity], ['bob', 5], ['cyd', 7.5], ['ada', 10]])
  assert.deepEqual(db.zrange('board', 5, 10, { byscore: true, limit: [1, 5] }), ['cyd', 'ada'])
  assert.equal(db.zscore('board', 'cyd'), 7.5)
})

test('any command can be called by its words', async () => {
  const db = await open()
  assert.equal(db.call('SET', 'k', 1), 'OK')
  assert.equal(db.call('getrange', 'k', 0, -1), '1')
  assert.equal(db.call('GET', new Uint8Array([0x6b])), '1')
})

test('every method again returns strings as bytes', async () => {
  const db = await open()
  const bytes = new Uint8Array([0, 255, 128, 13, 10])
  assert.equal(db.bytes.set('k', bytes), 'OK')
  assert.deepEqual(db.bytes.get('k'), bytes)
  assert.equal(db.bytes.get('nothing'), null)
  assert.deepEqual(db.bytes.mget('k', 'nothing'), [bytes, null])
  db.hset('h', { field: bytes })
  assert.deepEqual(db.bytes.hgetall('h'), { field: bytes })
  assert.deepEqual(db.bytes.call('GET', 'k'), bytes)
})

test('bytes that were returned stay as they are', async () => {
  const db = await open()
  db.set('k', 'first')
  const first = db.bytes.get('k')
  db.set('k', 'other')
  db.get('k')
  assert.deepEqual(first, new TextEncoder().encode('first'))
})

test('several words come one after the other or in an array', async () => {
  const db = await open()
  db.mset({ a: 1, b: 2 })
  assert.deepEqual(db.mget('a', 'b', 'c'), ['1', '2', null])
  assert.deepEqual(db.mget(['a', 'b', 'c']), ['1', '2', null])
  assert.equal(db.rpush('list', 'x', 'y'), 2)
  assert.deepEqual(db.lrange('list', 0, -1), ['x', 'y'])
  assert.equal(db.lpop('list'), 'x')
  assert.deepEqual(db.lpop('list', 5), ['y'])
})

test('a refused command throws what Redis says', async () => {
  const db = await open()
  db.set('text', 'abc')
  assert.throws(() => db.incr('text'), { name: 'ReplyError', code: 'ERR', message: 'ERR value is not an integer or out of range' })
  assert.throws(() => db.hget('text', 'f'), (error) => error instanceof ReplyError && error instanceof Error && error.code === 'WRONGTYPE')
  assert.throws(() => db.call('NOPE'), { code: 'ERR', message: /^ERR unknown command 'NOPE'/ })
  assert.throws(() => db.mget([]), { code: 'ERR', message: /wrong number of arguments/ })
})

test('a transaction answers each command, refusals among them', async () => {
  const db = await open()
  db.call('MULTI')
  assert.equal(db.set('k', 'abc'), 'QUEUED')
  db.incr('k')
  const replies = db.exec()
  assert.equal(replies[0], 'OK')
  assert(replies[1] instanceof ReplyError)
})
