// What is made of several commands, replies or messages: transactions, pipelines, subscriptions, scans, invalidations.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { BatchError, ReplyError, open } from 'keyside'

test('a transaction runs what it collected as one, and answers each', async () => {
  const db = await open()
  const batch = db.multi().set('k', 1).incr('k').hset('h', { f: 1 }).hgetall('h')
  assert.equal(db.exists('k'), 0, 'nothing happens before')
  assert.deepEqual(batch.call('GET', 'k').exec(), ['OK', 2, 1, { f: '1' }, '2'])
  assert.deepEqual(batch.exec(), [], 'what ran is not there any more')
  assert.deepEqual(db.bytes.multi().get('k').exec(), [new Uint8Array([0x32])])
  assert.deepEqual(await db.multi().blpop('none', 0).exec(), [null], 'nobody waits in one')
})

test('a transaction does nothing when a watched key changed', async () => {
  const db = await open()
  const other = db.connect()
  db.watch('k')
  other.set('k', 1)
  assert.equal(db.multi().incr('k').exec(), null)
  assert.equal(db.get('k'), '1')
  assert.deepEqual(db.multi().incr('k').exec(), [2])
})

for (const kind of ['multi', 'pipeline']) {
  test(`refusals in a ${kind} leave the others be`, async () => {
    const db = await open()
    const batch = db[kind]().set('k', 'text').incr('k').set('after', 1)
    assert.throws(() => batch.exec(), (error) => {
      assert(error instanceof BatchError && error instanceof ReplyError)
      assert.match(error.message, /^ERR value is not an integer/)
      assert.deepEqual([error.replies[0], error.replies[1].code, error.replies[2]], ['OK', 'ERR', 'OK'])
      return true
    })
    assert.equal(db.get('after'), '1')
    assert.throws(() => db[kind]().set('k'), TypeError)
    assert.equal(db.get('k'), 'text')
  })
}

test('a command that is refused while it is queued discards the transaction', async () => {
  const db = await open()
  assert.throws(() => db.multi().set('k', 1).call('NOPE').exec(), /unknown command/)
  assert.equal(db.get('k'), null, 'which is not queued, as no transaction is open')
})

test('a pipeline runs one after the other, and does not wait', async () => {
  const db = await open()
  assert.deepEqual(db.pipeline().rpush('l', 'a', 'b').lrange('l', 0, -1).xread({ s: '0' }).exec(), [2, ['a', 'b'], null])
  assert.throws(() => db.pipeline().blpop('l', 0), /a pipeline does not wait/)
  assert.throws(() => db.pipeline().xread({ s: '$' }, { block: 0 }), /a pipeline does not wait/)
})

test('messages are iterated from the call on, in order', async () => {
  const db = await open()
  const news = db.subscribe('news', 'sport')
  const fitting = db.bytes.psubscribe('n*')
  const sharded = db.ssubscribe(['shard'])
  db.publish('news', 'one')
  db.publish('sport', 'two')
  db.spublish('shard', 'three')
  const heard = []
  for await (const { channel, message } of news) {
    heard.push([channel, message])
    if (heard.length === 2) db.publish('news', 'four')
    if (heard.length === 3) break
  }
  assert.deepEqual(heard, [['news', 'one'], ['sport', 'two'], ['news', 'four']])
  const bytes = (text) => new TextEncoder().encode(text)
  assert.deepEqual((await fitting.next()).value, { pattern: bytes('n*'), channel: bytes('news'), message: bytes('one') })
  assert.deepEqual((await sharded.next()).value, { channel: 'shard', message: 'three' })
  assert.equal(db.publish('sport', 'nobody'), 0, 'the loop has ended, and so has the subscription')
  await fitting.return()
  assert.equal(db.publish('news', 'nobody'), 0)
})

test('a subscription ends with its signal, its connection and its store', async () => {
  const db = await open()
  const other = db.connect()
  const controller = new AbortController()
  const aborted = db.subscribe('c', { signal: controller.signal })
  const next = aborted.next()
  controller.abort(new Error('enough'))
  await assert.rejects(next, /enough/)
  assert.deepEqual(await aborted.next(), { value: undefined, done: true })
  const theirs = other.subscribe('c')
  const ours = db.subscribe('c')
  const waiting = [theirs.next(), ours.next()]
  other.close()
  assert.equal((await waiting[0]).done, true)
  assert.equal(db.publish('c', 'm'), 1)
  assert.equal((await waiting[1]).value.message, 'm')
  const last = ours.next()
  db.close()
  assert.equal((await last).done, true)
})

test('a subscriber that never fetches is bounded, and others are undisturbed', async () => {
  const db = await open()
  const deaf = db.subscribe('c')
  const message = 'x'.repeat(1 << 20)
  let published = 0
  while (db.publish('c', message) === 1) assert.ok(++published < 40)
  assert.ok(published >= 31)
  await assert.rejects(deaf.next(), /32 MiB/)
  assert.equal(db.set('k', 1), 'OK')
})

test('scans are iterated to their end', async () => {
  const db = await open()
  const all = Array.from({ length: 1000 }, (_, i) => `m:${i}`)
  db.sadd('set', all)
  db.hset('hash', all.map((name) => [name, 1]))
  db.zadd('board', all.map((name, i) => [i / 2, name]))
  const gather = async (items) => {
    const gathered = []
    for await (const item of items) gathered.push(item)
    return gathered
  }
  assert.deepEqual(new Set(await gather(db.sscanIterator('set', { count: 10 }))), new Set(all))
  assert.deepEqual(new Map(await gather(db.hscanIterator('hash'))), new Map(all.map((name) => [name, '1'])))
  assert.deepEqual(new Map(await gather(db.zscanIterator('board'))), new Map(all.map((name, i) => [name, i / 2])))
  assert.deepEqual((await gather(db.scanIterator({ count: 1 }))).sort(), ['board', 'hash', 'set'])
  assert.deepEqual(await gather(db.scanIterator({ type: 'zset' })), ['board'])
  assert.deepEqual(await gather(db.bytes.scanIterator({ match: 'h*' })), [new TextEncoder().encode('hash')])
})

test('who tracks hears of what others change', async () => {
  const db = await open()
  const other = db.connect()
  const heard = []
  db.on('invalidate', (keys) => heard.push(keys))
  db.call('CLIENT', 'TRACKING', 'ON')
  db.get('k')
  other.set('k', 1)
  await null
  other.flushall()
  await null
  assert.deepEqual(heard, [['k'], null])
})
