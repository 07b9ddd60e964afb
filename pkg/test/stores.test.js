// Stores and connections: what they share, what they do not, and how they end.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

import { open } from 'keyside'

const wasm = new URL('../dist/keyside.wasm', import.meta.url)

test('stores share nothing', async () => {
  const stores = await Promise.all(Array.from({ length: 50 }, () => open()))
  stores.forEach((db, i) => db.set('k', i))
  assert.deepEqual(stores.map((db) => db.get('k')), stores.map((_, i) => String(i)))
  stores[0].close()
  assert.equal(stores[1].get('k'), '1')
})

test('connections share data, and nothing else', async () => {
  const db = await open()
  const other = db.connect()
  db.set('k', 1)
  assert.equal(other.get('k'), '1')
  other.call('MULTI')
  assert.equal(other.set('k', 2), 'QUEUED')
  assert.equal(db.set('k', 3), 'OK')
  assert.deepEqual(other.exec(), ['OK'])
  assert.equal(db.bytes.call('MULTI'), 'OK')
  assert.equal(db.set('k', 4), 'QUEUED', 'bytes are the same connection')
  db.discard()
  other.close()
  assert.throws(() => other.get('k'), { message: 'keyside: the connection is closed' })
  assert.throws(() => other.bytes.get('k'), { message: 'keyside: the connection is closed' })
  assert.equal(db.get('k'), '2')
})

test('a store outlives its first connection', async () => {
  const db = await open()
  db.set('k', 1)
  assert.equal(db.connect().client_kill('TYPE', 'normal'), 1)
  assert.throws(() => db.get('k'), { message: 'keyside: the connection is closed' })
  assert.equal(db.connect().get('k'), '1')
  db.close()
  assert.throws(() => db.connect(), { message: 'keyside: the store is closed' })
})

test('messages reach those who listen, after the call that caused them', async () => {
  const db = await open()
  const other = db.connect()
  const heard = []
  const listener = (...values) => heard.push(values)
  other.on('message', listener).on('pmessage', listener)
  other.bytes.on('message', (...values) => heard.push(values))
  assert.equal(other.call('SUBSCRIBE', 'news', 'sport'), 2)
  assert.equal(other.call('PSUBSCRIBE', 'n*'), 3)
  assert.equal(db.publish('news', 'hellö'), 2)
  assert.deepEqual(heard, [])
  await null
  assert.deepEqual(heard, [
    ['news', 'hellö'],
    ['n*', 'news', 'hellö'],
    ['news', 'hellö'].map((text) => new TextEncoder().encode(text)),
  ])
  other.off('message', listener).off('pmessage', listener)
  db.publish('news', 'again')
  await null
  assert.equal(heard.length, 4)
  assert.equal(other.get('k'), null, 'who subscribes may go on with any command')
})

test('a connection that quits or is killed is closed', async () => {
  const db = await open()
  const [one, two] = [db.connect(), db.connect()]
  assert.equal(one.quit(), 'OK')
  assert.throws(() => one.get('k'), { message: 'keyside: the connection is closed' })
  assert.equal(db.call('CLIENT', 'KILL', 'ID', two.client_id()), 1)
  assert.throws(() => two.get('k'), { message: 'keyside: the connection is closed' })
  assert.equal(db.get('k'), null)
})

test('a closed store says so, whatever is asked of it', async () => {
  const db = await open()
  const other = db.connect()
  db.set('k', 1, { px: 10 })
  db.close()
  for (const call of [
    () => db.get('k'),
    () => db.get('x'.repeat(100)),
    () => db.get(1),
    () => db.get(new Uint8Array(3)),
    () => db.set('k', 1, { ex: 5 }),
    () => db.mget('a', 'b'),
    () => db.multi(),
    () => db.call('PING'),
    () => db.bytes.get('k'),
    () => db.connect(),
    () => other.get('k'),
    () => other.multi(),
  ]) {
    assert.throws(call, { name: 'Error', message: 'keyside: the store is closed' })
  }
  db.close()
  other.close()
})

test('a store closes at the end of its block', async () => {
  const db = await open()
  const other = db.connect()
  other[Symbol.dispose]()
  assert.equal(db.set('k', 1), 'OK')
  db[Symbol.dispose]()
  assert.throws(() => db.get('k'), /closed/)
})

test('the module may come as bytes, as a response, compiled or by its URL', async () => {
  const bytes = await readFile(wasm)
  const response = () => new Response(bytes, { headers: { 'content-type': 'application/wasm' } })
  const plain = () => new Response(bytes)
  for (const source of [bytes, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), response(), plain(), Promise.resolve(response()), new WebAssembly.Module(bytes), wasm, wasm.href]) {
    const db = await open({ wasm: source })
    assert.equal(db.set('k', 1), 'OK')
    db.close()
  }
  await assert.rejects(open({ wasm: new Response('', { status: 404, statusText: 'Not Found' }) }), /404/)
  await assert.rejects(open({ wasm: new URL('nothing.wasm', wasm) }), /nothing\.wasm cannot be read \(ENOENT/)
})

test('a failure ends its store and no other', async () => {
  const other = await open()
  for (const [name, use] of [['call', (db) => db.strlen('k')], ['quick_get', (db) => db.get('k')], ['quick_set', (db) => db.set('k', 2)]]) {
    const db = await open()
    db.set('k', 1)
    // The engine has no way to fail that is known; its stand-in is a host that lets a call down.
    const { exports } = db.instance
    db.instance.exports = { ...exports, [name]: () => exports.call(0, 0xfffe, 1, 0) }
    assert.throws(() => use(db), (error) => {
      assert.match(error.message, /^keyside: the store failed and cannot be used any more \(.*index out of bounds/s)
      assert(error.cause instanceof WebAssembly.RuntimeError)
      return true
    })
    assert.throws(() => db.get('k'), /^Error: keyside: the store failed and cannot be used any more/)
  }
  assert.equal(other.set('k', 1), 'OK')
})

test('a store with keys that are to expire keeps no process alive', () => {
  const script = `
    import { open } from 'keyside'
    const db = await open()
    db.set('k', 1, { ex: 3600 })
  `
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: new URL('..', import.meta.url), timeout: 10_000 })
})

test('ten thousand keys are all there', async () => {
  const db = await open()
  for (let i = 0; i < 10_000; i++) db.set(`key:${i}`, `value ${i}`)
  for (let i = 0; i < 10_000; i++) assert.equal(db.get(`key:${i}`), `value ${i}`)
})

test('a store with a limit evicts what was not used for longest', async () => {
  let now = 1e12
  const db = await open({ maxmemory: '2mb', maxmemoryPolicy: 'allkeys-lru', now: () => now })
  for (let i = 0; i < 5000; i++) {
    now += 1000
    db.set(`key:${i}`, 'x'.repeat(1000))
    assert.equal(db.get('key:0') !== null, true, 'what is used stays')
  }
  assert.ok(db.dbsize() < 2500)
  assert.ok(Number(/evicted_keys:(\d+)/.exec(db.info('stats'))[1]) > 2500)

  const full = await open({ maxmemory: 1 })
  assert.throws(() => full.set('k', 'v'), { code: 'OOM' })
})
