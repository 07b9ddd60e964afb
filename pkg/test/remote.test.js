// A store behind a port: the same methods, which promise; and what happens when the port is another one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'

import { BatchError, open, ReplyError } from 'keyside'
import { connect, serve } from 'keyside/worker'
import { SIGNATURES } from '../dist/commands.js'
import { LeaderChangedError, Link } from '../dist/link.js'
import { RemoteStore, introduce, nameOf } from '../dist/remote.js'

/** A store, and another view of it through a port. */
async function pair(t) {
  const db = await open()
  const { port1, port2 } = new MessageChannel()
  serve(db, port1)
  const remote = await connect(port2)
  t.after(async () => {
    await remote.close()
    port1.close()
    port2.close()
    await db.close()
  })
  return { db, remote }
}

test('methods promise what they return where the store is', async (t) => {
  const { db, remote } = await pair(t)
  assert.equal(await remote.set('k', 'ü', { ex: 100 }), 'OK')
  assert.deepEqual(await Promise.all([remote.get('k'), remote.bytes.get('k'), remote.ttl('k')]), ['ü', new Uint8Array([195, 188]), 100])
  assert.equal(await remote.hset('h', { a: 1, b: 2 }), 2)
  assert.deepEqual(await remote.hgetall('h'), { a: '1', b: '2' })
  assert.equal(await remote.set('large', new Uint8Array(3 << 20)), 'OK')
  assert.equal(db.strlen('large'), 3 << 20)
  assert.equal((await remote.bytes.get('large')).length, 3 << 20)
  await assert.rejects(remote.incr('h'), (error) => error instanceof ReplyError && error.code === 'WRONGTYPE')
  await assert.rejects(remote.get({}), { name: 'TypeError', message: /^get: key must be a string/ })
  await assert.rejects(remote.call('SET', 'k', undefined), { name: 'TypeError', message: /^call: argument 3/ })
  assert.equal(await remote.call('STRLEN', 'k'), 2)
  assert.equal((await remote.snapshot()).subarray(0, 5).join(), [...'REDIS'].map((c) => c.charCodeAt(0)).join())
  assert.equal(await remote.place(), undefined)
  await assert.rejects(remote.persisted(), /kept nowhere/)
})

test('batches, connections, scans and waits', async (t) => {
  const { db, remote } = await pair(t)
  assert.deepEqual(await remote.multi().set('a', 1).incr('a').get('a').exec(), ['OK', 2, '2'])
  await assert.rejects(remote.pipeline().set('a', 'x').incr('a').get('a').exec(), (error) => error instanceof BatchError && error.replies[2] === 'x')
  await assert.rejects(remote.multi().call('NONE').exec(), /unknown command/)
  const other = remote.connect()
  await other.select(2)
  await other.set('elsewhere', 1)
  assert.equal(await remote.get('elsewhere'), null)
  await remote.watch('a')
  db.set('a', 0)
  assert.equal(await remote.multi().get('a').exec(), null)
  db.mset(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i])))
  const keys = []
  for await (const key of remote.scanIterator({ match: 'k*' })) keys.push(key)
  assert.equal(new Set(keys).size, 50)
  const popped = other.blpop('queue', 5)
  assert.equal(await other.get('elsewhere'), '1', 'nothing waits behind it')
  const there = db.connect()
  there.select(2)
  there.rpush('queue', 'job')
  assert.deepEqual(await popped, ['queue', 'job'])
  const controller = new AbortController()
  const never = remote.blpop('never', 0, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(never, /enough/)
  assert.equal(await remote.xread({ s: '0' }), null)
  await other.close()
  await assert.rejects(other.get('k'), /connection is closed/)
})

test('messages are iterated', async (t) => {
  const { db, remote } = await pair(t)
  const heard = []
  const controller = new AbortController()
  const loop = (async () => {
    for await (const { channel, message } of remote.subscribe('news', 'sport')) {
      heard.push(channel, message)
      if (message === 'end') break
    }
  })()
  const bytes = remote.bytes.psubscribe(['n*'], { signal: controller.signal })
  while (!db.pubsub_channels().includes('news') || db.pubsub_numpat() !== 1) await new Promise((resolve) => setTimeout(resolve, 5))
  db.publish('news', new Uint8Array([255]))
  assert.deepEqual((await bytes.next()).value.message, new Uint8Array([255]))
  db.publish('news', 'end')
  await loop
  assert.deepEqual(heard, ['news', '\ufffd', 'news', 'end'])
  await bytes.next()
  const next = bytes.next()
  controller.abort(new Error('enough'))
  await assert.rejects(next, /enough/)
})

test('every method has the name of a command', async () => {
  const db = await open()
  for (const line of SIGNATURES.trim().split('\n')) {
    const name = nameOf(line.split(' ')[0])
    const [info] = db.command_info(name.join('|').toLowerCase())
    assert.ok(info, `${name} is no command`)
  }
})

test('when another one has the store, reads are asked again, and writes are refused', async (t) => {
  const stores = [await open(), await open()]
  const channels = stores.map(() => new MessageChannel())
  t.after(() => channels.forEach(({ port1 }) => port1.close()))
  stores.forEach((db, i) => db.set('who', i))
  const link = new Link()
  serve(stores[0], channels[0].port1)
  link.attach(channels[0].port2)
  const remote = await introduce(new RemoteStore(link, async () => {}))
  await remote.select(1)
  stores[1].connect().call('SELECT', 1)
  const reads = remote.get('who')
  const writes = remote.set('k', 1)
  const transaction = remote.multi().incr('n').exec()
  const inThere = remote.connect()
  await inThere.call('MULTI')
  await inThere.call('INCR', 'manual')
  const watching = remote.connect()
  await watching.watch('who')
  // What is asked from now on is not answered any more.
  const [read, write, multi, torn] = [remote.get('who'), remote.set('k', 1), remote.multi().incr('n').exec(), remote.select(0)]
  await Promise.all([reads, writes, transaction])
  link.attach(undefined)
  const refused = [write, multi, torn].map((promise) => assert.rejects(promise, LeaderChangedError))
  const inBetween = remote.connect().incr('between')
  serve(stores[1], channels[1].port1)
  link.attach(channels[1].port2)
  await Promise.all(refused)
  assert.equal(await read, null, 'of the database that was chosen')
  await assert.rejects(watching.multi().set('k', 1).exec(), LeaderChangedError)
  assert.equal(await inBetween, 1)
  await assert.rejects(inThere.call('INCR', 'manual'), LeaderChangedError)
  await assert.rejects(inThere.call('EXEC'), LeaderChangedError)
  assert.equal(await inThere.exists('manual'), 0, 'nothing of it has happened')
  await remote.close()
})
