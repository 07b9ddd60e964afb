// Clients that people already use, unchanged, on a store in the same process.
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'

import Redis5 from 'ioredis'
import Redis6 from 'ioredis-6'
import Valkey from 'iovalkey'
import { open } from 'keyside'
import { connector } from 'keyside/ioredis'
import { socket } from 'keyside/node-redis'
import { listen } from 'keyside/server'
import * as redis5 from 'redis'
import * as redis6 from 'redis-6'

/** Somebody waits for a key. */
async function blocked(db) {
  while (!db.call('INFO', 'clients').includes('blocked_clients:1')) await new Promise((resolve) => setTimeout(resolve, 5))
}

for (const [name, Redis] of [['ioredis 5', Redis5], ['ioredis 6', Redis6], ['iovalkey', Valkey]]) {
  test(`${name} sets, pipelines, listens and waits`, async () => {
    const db = await open()
    const redis = new Redis({ Connector: connector(db) })
    assert.equal(await redis.set('a', '1', 'EX', 60), 'OK')
    assert.equal(db.get('a'), '1')
    db.set('text', 'ü')
    assert.deepEqual(await redis.getBuffer('text'), Buffer.from('ü'))
    await redis.hset('h', { a: 1, b: 2 })
    assert.deepEqual({ ...(await redis.hgetall('h')) }, { a: '1', b: '2' })
    assert.deepEqual(await redis.pipeline().incr('a').get('a').incr('h').exec().then((all) => all.map(([error, reply]) => error?.message ?? reply)), [2, '2', 'WRONGTYPE Operation against a key holding the wrong kind of value'])
    assert.deepEqual(await redis.multi().incr('a').get('nothing').exec(), [[null, 3], [null, null]])
    await assert.rejects(redis.incr('text'), /not an integer/)

    const subscriber = redis.duplicate()
    const message = once(subscriber, 'message')
    assert.equal(await subscriber.subscribe('news'), 1)
    assert.equal(db.publish('news', 'hello'), 1)
    assert.deepEqual(await message, ['news', 'hello'])

    const worker = redis.duplicate()
    const popped = worker.blpop('queue', 5)
    await blocked(db)
    await redis.rpush('queue', 'job')
    assert.deepEqual(await popped, ['queue', 'job'])

    const large = 'x'.repeat(1 << 20)
    await redis.set('large', large)
    assert.equal((await redis.get('large')).length, large.length)
    const ends = [redis, subscriber, worker].map((client) => once(client, 'end'))
    assert.equal(await worker.quit(), 'OK')
    redis.disconnect()
    subscriber.disconnect()
    await Promise.all(ends)
    assert.equal(db.call('CLIENT', 'LIST').trim().split('\n').length, 1)
    db.close()
  })
}

for (const [name, { createClient }] of [['node-redis 5', redis5], ['node-redis 6', redis6]]) {
  test(`${name} sets, runs transactions, listens and waits`, async () => {
    const db = await open()
    const client = createClient({ socket: socket(db) })
    const errors = []
    client.on('error', (error) => errors.push(error))
    await client.connect()
    assert.equal(await client.set('a', '1', { expiration: { type: 'EX', value: 60 } }), 'OK')
    assert.equal(db.get('a'), '1')
    await client.hSet('h', { a: 1, b: 2 })
    assert.deepEqual({ ...(await client.hGetAll('h')) }, { a: '1', b: '2' })
    assert.deepEqual(await client.multi().incr('a').get('a').exec(), [2, '2'])
    await client.zAdd('z', [{ score: 1.5, value: 'x' }])
    assert.deepEqual(await client.zRangeWithScores('z', 0, -1), [{ value: 'x', score: 1.5 }])
    await assert.rejects(client.incr('h'), /WRONGTYPE/)

    const subscriber = await client.duplicate().connect()
    const message = new Promise((resolve) => void subscriber.subscribe('news', (...values) => resolve(values)).then(() => db.publish('news', 'hello')))
    assert.deepEqual(await message, ['hello', 'news'])

    const worker = await client.duplicate().connect()
    const popped = worker.blPop('queue', 5)
    await blocked(db)
    await client.rPush('queue', 'job')
    assert.deepEqual({ ...(await popped) }, { key: 'queue', element: 'job' })
    await Promise.all([client, subscriber, worker].map((one) => one.close()))
    assert.deepEqual(errors, [])
    db.close()
  })
}

test('two stores have clients of their own, and other sockets are left alone', async () => {
  const stores = await Promise.all([open(), open()])
  const clients = await Promise.all(stores.map((db) => redis5.createClient({ socket: socket(db) }).connect()))
  await Promise.all(clients.map((client, i) => client.set('k', `${i}`)))
  assert.deepEqual(stores.map((db) => db.get('k')), ['0', '1'])
  const server = await listen(stores[0])
  const plain = createConnection(server.port, '127.0.0.1')
  plain.write('GET k\r\n')
  assert.equal(String((await once(plain, 'data'))[0]), '$1\r\n0\r\n')
  plain.destroy()
  clients.forEach((client) => client.destroy())
  await server.close()
})

test('a client of a store that closes is told, and goes on waiting for no reply', async () => {
  const db = await open()
  const redis = new Redis5({ Connector: connector(db), retryStrategy: null })
  redis.on('error', () => {})
  await redis.ping()
  const popped = redis.blpop('queue', 0)
  const end = once(redis, 'end')
  await blocked(db)
  db.close()
  await end
  await assert.rejects(popped, /closed/i)
})

test('the server speaks to sockets in pieces, pipelines and pushes, and ends with all of them', async () => {
  const db = await open()
  const server = await listen(db)
  const redis = new Redis5(server.url)
  const big = Buffer.alloc(3 << 20, 'b')
  assert.equal(await redis.set('big', big), 'OK')
  assert.deepEqual(await redis.getBuffer('big'), big)
  const replies = await Promise.all(Array.from({ length: 2000 }, () => redis.incr('n')))
  assert.equal(replies.at(-1), 2000)
  assert.match(await redis.client('LIST'), /addr=127\.0\.0\.1:\d+ /)
  const waiting = redis.blpop('queue', 5)
  db.rpush('queue', 'job')
  assert.deepEqual(await waiting, ['queue', 'job'])
  redis.disconnect()
  const socket = createConnection(server.port, '127.0.0.1')
  socket.write('*1\r\n$4\r\nPI')
  await new Promise((resolve) => setTimeout(resolve, 10))
  socket.write('NG\r\nQUIT\r\n')
  let said = ''
  for await (const bytes of socket) said += bytes
  assert.equal(said, '+PONG\r\n+OK\r\n')
  const other = createConnection(server.port, '127.0.0.1')
  await once(other, 'connect')
  const closed = once(other, 'close')
  await server.close()
  await closed
  assert.equal(db.get('n'), '2000', 'the store is not the server’s')
})
