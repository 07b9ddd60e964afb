// What goes wrong before or around a store, and what the message then tells to do. Values of commands are in values.test.js,
// places that fail in persistence.test.js, pages in runtimes/refusals.test.js.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'

import { open } from 'keyside'
import { open as openSlim } from 'keyside/slim'
import { open as openInWorker } from 'keyside/worker'
import { open as openShared } from 'keyside/shared'

const BRING = /serve keyside\.wasm beside the code of the package, or say where it is: open\(\{ wasm \}\)/

test('a module that is something else is named, and where it came from', async (t) => {
  const server = createServer(({ url }, response) => {
    if (url === '/missing') return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': url === '/claimed' ? 'application/wasm' : 'text/html' }).end('<!doctype html>')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const at = (path) => new URL(path, `http://127.0.0.1:${server.address().port}`)
  await assert.rejects(open({ wasm: at('/page') }), (error) => /\/page, which came as text\/html, is no wasm module, but begins with "<!doctyp"/.test(error.message) && BRING.test(error.message))
  await assert.rejects(open({ wasm: at('/missing') }), (error) => /answered 404/.test(error.message) && BRING.test(error.message))
  await assert.rejects(open({ wasm: 'http://127.0.0.1:1/' }), (error) => /cannot be read/.test(error.message) && BRING.test(error.message))
  await assert.rejects(open({ wasm: new URL('file:///nowhere/keyside.wasm') }), (error) => /cannot be read \(ENOENT/.test(error.message) && BRING.test(error.message))
  await assert.rejects(open({ wasm: new TextEncoder().encode('hello') }), /what was given as wasm is no wasm module, but begins with "hello"/)
  await assert.rejects(open({ wasm: new Uint8Array(0) }), /begins with ""/)
  await assert.rejects(openSlim({}), { name: 'TypeError', message: /keyside\/slim needs the module/ })
})

test('options that are none are refused by name', async () => {
  const refused = (options, message) => assert.rejects(open(options), { name: 'TypeError', message })
  await refused(null, /^open: options must be an object, not null$|Cannot/)
  await refused({ persist: 5 }, /^open: persist must be a place such as 'idb:\/\/name', or a Storage, not 5$/)
  await refused({ persist: {} }, /^open: persist must be a place/)
  await refused({ persist: 'shelf' }, /^open: persist must be file:\/\/… or a Storage here, not "shelf"$/)
  await refused({ appendfsync: 'sometimes' }, /^open: appendfsync must be 'always', 'everysec' or 'no', not "sometimes"$/)
  await refused({ onPersist: 1 }, /^open: onPersist must be a function, not 1$/)
  await refused({ now: 5 }, /^open: now must be a function, not 5$/)
  await refused({ snapshot: 'dump.rdb' }, /^open: snapshot must be a Uint8Array, not "dump.rdb"$/)
})

test('a value that no store takes is refused before memory is taken', async () => {
  const db = await open()
  assert.throws(() => db.set('k', new Uint8Array((512 << 20) + 1)), { name: 'RangeError', message: /^set: value has \d+ characters or bytes; no value can be longer than 512 MiB, so part it over several keys$/ })
  assert.equal(db.ping(), 'PONG', 'the store goes on')
  assert.equal(db.dbsize(), 0)
  db.close()
})

test('a store that is closed says so, kept or not, and can be closed again', async () => {
  const db = await open()
  await db.close()
  await db.close()
  assert.throws(() => db.get('k'), { message: 'keyside: the store is closed' })
  assert.throws(() => db.watch('k', () => {}), { message: 'keyside: the store is closed' })
  await assert.rejects(db.persisted(), /the store is kept nowhere; open it with persist/)
})

test('where there are no workers or tabs, that is said', async () => {
  await assert.rejects(openInWorker(), { name: 'UnavailableError', message: /there are no workers here; serve the store through a port/ })
  await assert.rejects(openShared(), { name: 'UnavailableError', message: /needs Web Locks and BroadcastChannel|there are no workers here/ })
})
