// Calls with keys that have changed, and components that show them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'

import { createElement } from 'react'
import { renderToString } from 'react-dom/server'

import { open } from 'keyside'
import { useHash, useKey, useSortedSet } from 'keyside/react'
import { connect, serve } from 'keyside/worker'

const turn = () => new Promise((resolve) => setTimeout(resolve, 20))

test('a key or a pattern is watched, with what happened, in its database, until that ends', async () => {
  let now = 1000
  const db = await open({ now: () => now })
  const heard = []
  const hear = (...event) => heard.push(event.join(' '))
  const stop = db.watch('user:*', hear)
  const end = new AbortController()
  db.watch('counter', hear, { signal: end.signal })
  db.hset('user:1', { a: 1 })
  db.set('other', 1)
  assert.deepEqual(heard, [], 'not within the call that changes')
  db.incr('counter')
  db.multi().set('user:2', 1, { px: 100 }).del('user:1').exec()
  db.select(1)
  db.set('user:3', 1)
  db.select(0)
  now += 200
  assert.equal(db.get('user:2'), null)
  await turn()
  assert.deepEqual(heard.splice(0), ['user:1 hset', 'counter incrby', 'user:2 set', 'user:2 expire', 'user:1 del', 'user:2 expired'])
  stop()
  db.set('user:1', 1)
  db.incr('counter')
  end.abort()
  db.incr('counter')
  await turn()
  assert.deepEqual(heard, ['counter incrby'])
  assert.equal(db.watch('user:1'), 'OK', 'without a function it is the command')
  db.connect().set('user:1', 2)
  assert.equal(db.multi().get('user:1').exec(), null)
  assert.throws(() => db.watch(['a'], hear), { name: 'TypeError', message: 'watch: pattern must be a string, not an array' })
  db.config_set({ 'notify-keyspace-events': 'Ex' })
  db.watch('a', hear)
  assert.deepEqual(db.config_get('notify-keyspace-events'), { 'notify-keyspace-events': 'AKE' })
  await db.close()
})

test('a store elsewhere is watched alike', async (t) => {
  const db = await open()
  const { port1, port2 } = new MessageChannel()
  serve(db, port1)
  const remote = await connect(port2)
  t.after(() => port1.close())
  const heard = []
  const stop = await remote.watch('k*', (...event) => heard.push(event.join(' ')))
  await remote.set('k1', 1)
  db.rpush('k2', 1)
  await turn()
  assert.deepEqual(heard, ['k1 set', 'k2 rpush'])
  stop()
  await remote.set('k1', 1)
  await turn()
  assert.equal(heard.length, 2)
  assert.equal(await remote.watch('k1'), 'OK')
})

test('components show values on a server too', async () => {
  const db = await open()
  db.set('name', 'Ada')
  db.hset('h', { a: 1 })
  db.zadd('z', { x: 1, y: 2 })
  const Page = () => JSON.stringify([useKey(db, 'name'), useKey(db, 'none'), useHash(db, 'h'), useSortedSet(db, 'z', { rev: true, stop: 0 })])
  assert.equal(renderToString(createElement(Page)).replaceAll('&quot;', '"'), '["Ada",null,{"a":"1"},[["y",2]]]')
  const Wrong = () => useKey(db, 'h')
  assert.throws(() => renderToString(createElement(Wrong)), /WRONGTYPE/)
})
