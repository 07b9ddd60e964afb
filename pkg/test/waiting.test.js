// Methods that wait for what other connections do.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import { open } from 'keyside'

test('a waiting method promises what another connection brings', async () => {
  const db = await open()
  const other = db.connect()
  const popped = db.blpop(['none', 'queue'], 0)
  assert.equal(db.set('meanwhile', 1), 'OK')
  assert.equal(other.rpush('queue', 'job'), 1)
  assert.deepEqual(await popped, ['queue', 'job'])
  assert.equal(db.exists('queue'), 0)
})

test('what is there already comes as a promise, too', async () => {
  const db = await open()
  db.rpush('list', 'a', 'b', 'c')
  db.zadd('board', { ada: 1.5 })
  assert.deepEqual(await db.brpop('list', 0), ['list', 'c'])
  assert.equal(await db.blmove('list', 'other', 'left', 'right', 0), 'a')
  assert.deepEqual(await db.blmpop(0, ['list', 'other'], 'left', { count: 5 }), ['list', ['b']])
  assert.deepEqual(await db.bzpopmin('board', 0), ['board', 'ada', 1.5])
  assert.deepEqual(await db.bytes.blpop('other', 0), [Buffer.from('other'), Buffer.from('a')].map((it) => new Uint8Array(it)))
})

test('who waits first is served first, once', async () => {
  const db = await open()
  const waits = [db.blpop('q', 0), db.connect().blpop('q', 0), db.blpop('q', 0)]
  db.rpush('q', 1, 2)
  db.rpush('q', 3, 4)
  assert.deepEqual(await Promise.all(waits), [['q', '1'], ['q', '2'], ['q', '3']])
  assert.deepEqual(db.lrange('q', 0, -1), ['4'])
})

test('a wait ends with its time', async () => {
  const db = await open()
  const start = performance.now()
  // Nothing else keeps the process.
  const alive = setInterval(() => {}, 1000)
  assert.equal(await db.blpop('none', 0.05), null)
  clearInterval(alive)
  assert.ok(performance.now() - start >= 45)
})

test('a stream is read when it has something new', async () => {
  const db = await open()
  assert.equal(db.xread({ news: '0' }), null)
  const read = db.xread({ news: '$' }, { block: 0, count: 1 })
  db.call('XADD', 'news', '1-1', 'text', 'hello')
  assert.deepEqual(await read, { news: [['1-1', ['text', 'hello']]] })
  assert.deepEqual(db.xread({ news: '0' }), { news: [['1-1', ['text', 'hello']]] })
})

test('a signal ends the waiting, and nothing is taken for it any more', async () => {
  const db = await open()
  const controller = new AbortController()
  const waits = [
    db.blpop('q', 0, { signal: controller.signal }),
    db.blmpop(0, 'q', 'left', { count: 2, signal: controller.signal }),
    db.xread({ s: '$' }, { block: 0, signal: controller.signal }),
  ]
  const reason = new Error('enough')
  controller.abort(reason)
  for (const one of waits) await assert.rejects(one, reason)
  db.rpush('q', 1)
  assert.equal(db.llen('q'), 1)
  await assert.rejects(db.blpop('q', 0, { signal: controller.signal }), reason)
  assert.equal(db.llen('q'), 1)
  assert.match(db.client_list(), /^id=1 [^\n]*\n$/)
})

test('a wait ends with its connection, and with the store', async () => {
  const db = await open()
  const other = db.connect()
  const [first, second, third] = [other.blpop('q', 0), db.blpop('q', 0), db.blpop('q', 0)]
  other.close()
  await assert.rejects(first, /the connection is closed/)
  db.rpush('q', 1)
  assert.deepEqual(await second, ['q', '1'])
  db.close()
  await assert.rejects(third, /the store is closed/)
})

test('refusals reject', async () => {
  const db = await open()
  db.set('text', 1)
  await assert.rejects(db.blpop('text', 0), { code: 'WRONGTYPE' })
  await assert.rejects(db.blpop('list', -1), { message: 'ERR timeout is negative' })
  await assert.rejects(db.blpop('list', {}), TypeError)
  const unblocked = db.blpop('list', 0)
  const [, id] = /id=(\d+) [^\n]* flags=b /.exec(db.client_list())
  assert.equal(db.client_unblock(id, { error: true }), 1)
  await assert.rejects(unblocked, { code: 'UNBLOCKED' })
})

test('waiting is done in the database of the connection', async () => {
  const db = await open()
  db.select(3)
  const popped = db.blpop('q', 0)
  const other = db.connect()
  other.rpush('q', 'elsewhere')
  db.rpush('q', 'here')
  assert.deepEqual(await popped, ['q', 'here'])
})

test('in a transaction nobody waits', async () => {
  const db = await open()
  db.call('MULTI')
  assert.equal(await db.blpop('none', 0), 'QUEUED')
  assert.deepEqual(db.exec(), [null])
})

test('who waits for ever does not keep the process', () => {
  const script = `import { open } from 'keyside'; const db = await open(); db.blpop('q', 0).catch(() => {}); db.blpop('q', 100).catch(() => {})`
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: new URL('.', import.meta.url), timeout: 20_000 })
  assert.equal(status, 0)
})

test('requests that are called by their words wait on the connection itself', async () => {
  const db = await open()
  const other = db.connect()
  const answers = []
  other.on('push', (bytes) => answers.push(Buffer.from(bytes).toString()))
  assert.equal(other.send('BLPOP', 'q', '0').length, 0)
  assert.equal(other.send('PING').length, 0)
  db.rpush('q', 'x')
  await wait(0)
  assert.equal(answers.join(''), '*2\r\n$1\r\nq\r\n$1\r\nx\r\n+PONG\r\n')
})
