// Replies and messages as a socket would carry them.
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { open } from 'keyside'

const text = (bytes) => Buffer.from(bytes).toString('latin1')
const soon = () => new Promise((resolve) => setImmediate(resolve))

let db
beforeEach(async () => {
  db = await open()
})

test('a reply comes as it travels', () => {
  assert.equal(text(db.send('SET', 'k', 'é')), '+OK\r\n')
  assert.equal(text(db.send('GET', new Uint8Array([0x6b]))), '$2\r\n\xc3\xa9\r\n')
  assert.equal(text(db.send(new Uint8Array([0x67, 0x65, 0x74]), 'none')), '_\r\n')
  assert.equal(text(db.send('STRLEN', 'k')), ':2\r\n')
  assert.equal(text(db.send('HGETALL', 'none')), '%0\r\n')
  assert.equal(text(db.send('INCR', 'k')), '-ERR value is not an integer or out of range\r\n')
  assert.throws(() => db.send(), { message: 'send: a command has at least a name' })
})

test('a reply stays as it is, however long', () => {
  const long = 'x'.repeat(1 << 20)
  const first = db.send('ECHO', 'first')
  assert.equal(db.send('ECHO', long).length, long.length + 12)
  assert.equal(text(first), '$5\r\nfirst\r\n')
})

test('messages within a reply are part of it, and heard by their kind', async () => {
  const heard = []
  db.on('subscribe', (...values) => heard.push(values))
  db.on('push', (bytes) => heard.push(text(bytes)))
  assert.equal(text(db.send('SUBSCRIBE', 'news')), '>3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n')
  await soon()
  assert.deepEqual(heard, [['news', 1]])
})

test('what comes by itself comes as it travels, until it is not listened to', async () => {
  const heard = []
  const listener = (bytes) => heard.push(text(bytes))
  db.call('SUBSCRIBE', 'news')
  db.on('push', listener)
  db.bytes.on('push', listener)
  const other = db.connect()
  other.publish('news', 'one')
  assert.deepEqual(heard, [], 'not before publish returns')
  await soon()
  assert.deepEqual(heard, Array(2).fill('>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\none\r\n'))
  db.off('push', listener)
  db.bytes.off('push', listener)
  other.publish('news', 'two')
  await soon()
  assert.equal(heard.length, 2)
})

test('a connection that is closed sends nothing', () => {
  const other = db.connect()
  other.close()
  assert.throws(() => other.send('PING'), { message: 'keyside: the connection is closed' })
})
