// Upstash's REST protocol, seen by @upstash/redis and byte by byte.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Redis } from '@upstash/redis'
import { open } from 'keyside'
import { listenHttp } from 'keyside/server'
import { handler, requester } from 'keyside/upstash'

const TOKEN = 'all'
const READER = 'read'

/** A function that asks a store: `[status, body]`. */
async function asking(options = {}) {
  const db = await open()
  const fetch = handler(db, { token: TOKEN, readOnlyToken: READER, ...options })
  const ask = async (path, { method = 'GET', body, token = TOKEN, headers = {} } = {}) => {
    const response = await fetch(new Request(`http://localhost${path}`, { method, body, headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers } }))
    const text = await response.text()
    return [response.status, text === '' ? '' : JSON.parse(text)]
  }
  return { db, fetch, ask }
}

async function showsAll(redis, db) {
  assert.equal(await redis.set('user', { name: 'Ada', mark: 'ü' }, { ex: 60 }), 'OK')
  assert.deepEqual(await redis.get('user'), { name: 'Ada', mark: 'ü' })
  assert.equal(await redis.hset('h', { a: 1, b: 'two' }), 2)
  assert.deepEqual(await redis.hgetall('h'), { a: 1, b: 'two' })
  assert.equal(await redis.hgetall('nothing'), null)
  assert.equal(await redis.zadd('z', { score: 1.5, member: 'x' }, { score: 2, member: 'y' }), 2)
  assert.deepEqual(await redis.zrange('z', 0, -1, { withScores: true }), ['x', 1.5, 'y', 2])
  assert.deepEqual(await redis.pipeline().get('user').incr('n').exec(), [{ name: 'Ada', mark: 'ü' }, 1])
  assert.deepEqual(await redis.multi().incr('n').get('nothing').exec(), [2, null])
  assert.deepEqual(await Promise.all([redis.incr('n'), redis.get('n'), redis.exists('n', 'nothing')]).then((all) => all.toSorted()), [1, 3, 3])
  const [cursor, keys] = await redis.scan(0)
  assert.deepEqual([cursor, keys.toSorted()], ['0', ['h', 'n', 'user', 'z']])
  assert.equal(await redis.ping(), 'PONG')
  await assert.rejects(redis.incr('user'), /not an integer/)
  db.set('big', '9007199254740993')
  assert.equal(await redis.get('big'), '9007199254740993')

  const subscription = redis.subscribe('chat')
  const [subscribed, message] = ['subscribe', 'message'].map((kind) => new Promise((resolve) => subscription.on(kind, resolve)))
  await subscribed
  assert.equal(await redis.publish('chat', { hi: 1 }), 1)
  assert.deepEqual(await message, { channel: 'chat', message: { hi: 1 } })
  await subscription.unsubscribe()
  for (let i = 0; i < 100 && db.publish('chat', '') > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(db.publish('chat', ''), 0, 'who unsubscribes is gone')
}

test('@upstash/redis on a store in the same process', async () => {
  const db = await open()
  await showsAll(new Redis(requester(db)), db)
})

test('@upstash/redis over HTTP', async () => {
  const db = await open()
  const server = await listenHttp(db, { token: TOKEN })
  try {
    await showsAll(new Redis({ url: server.url, token: TOKEN, retry: false }), db)
    await assert.rejects(new Redis({ url: server.url, token: 'wrong', retry: false }).get('k'), /WRONGPASS/)
  } finally {
    await server.close()
  }
})

test('a command comes as a path, as a path with a body, or as a body', async () => {
  const { ask, db } = await asking()
  assert.deepEqual(await ask('/set/foo/b%20r/EX/100'), [200, { result: 'OK' }])
  assert.deepEqual(await ask('/get/foo'), [200, { result: 'b r' }])
  assert.deepEqual(await ask('/set/foo?EX=50', { method: 'POST', body: new Uint8Array([0, 255]) }), [200, { result: 'OK' }])
  assert.deepEqual(db.bytes.get('foo'), new Uint8Array([0, 255]))
  assert.equal(db.ttl('foo'), 50)
  assert.deepEqual(await ask('/set/%FF/v', { method: 'PUT' }), [200, { result: 'OK' }])
  assert.equal(db.get(new Uint8Array([255])), 'v')
  assert.deepEqual(await ask('/', { method: 'POST', body: '["SET","n",1.5,"EX",100]' }), [200, { result: 'OK' }])
  assert.deepEqual(await ask('/set/n//', { method: 'POST' }), [400, { error: 'ERR syntax error' }])
  assert.deepEqual(await ask('/set/empty/'), [200, { result: 'OK' }])
  assert.deepEqual(await ask('/get/n', { method: 'HEAD' }), [200, ''])
  assert.deepEqual(await ask('/get/n', { method: 'DELETE' }), [405, { error: 'ERR method not allowed' }])
  assert.deepEqual(await ask('/get/n?_token=all', { token: '' }), [200, { result: '1.5' }])
})

test('what is no command is refused with 400 and a reason', async () => {
  const { ask } = await asking()
  const post = (body, path = '/') => ask(path, { method: 'POST', body })
  assert.deepEqual(await post('{'), [400, { error: 'ERR failed to parse the request body: it is not JSON' }])
  assert.deepEqual(await post('[]'), [400, { error: 'ERR empty command' }])
  assert.deepEqual(await post('["GET",null]'), [400, { error: 'ERR the words of a command must be strings, numbers or booleans' }])
  assert.deepEqual(await post('{}', '/pipeline'), [400, { error: 'ERR the request body must be an array of commands' }])
  assert.match((await ask('/nope'))[1].error, /^ERR unknown command 'nope'/)
  for (const command of ['BLPOP/k/0', 'blmove/a/b/left/left/0', 'subscribe', 'MULTI', 'XREAD/BLOCK/0/STREAMS/s/0', 'client/list']) {
    const [status, { error }] = await ask(`/${command}`)
    assert.equal(status, 400)
    assert.match(error, /not available over REST|wrong number of arguments/)
  }
})

test('pipelines go on after a refusal; transactions are all or nothing', async () => {
  const { ask, db } = await asking()
  const post = (path, commands) => ask(path, { method: 'POST', body: JSON.stringify(commands) })
  assert.deepEqual(await post('/pipeline', [['SET', 'k', 'v'], ['INCR', 'k'], ['GET', 'k']]), [200, [{ result: 'OK' }, { error: 'ERR value is not an integer or out of range' }, { result: 'v' }]])
  assert.deepEqual(await post('/multi-exec', [['SET', 'k', 1], ['LPOP', 'k'], ['INCR', 'k']]), [200, [{ result: 'OK' }, { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' }, { result: 2 }]])
  assert.equal((await post('/multi-exec', [['SET', 'k', 9], ['NOPE']]))[0], 400)
  assert.equal(db.get('k'), '2')
  assert.deepEqual(await post('/multi-exec', []), [200, []])
})

test('replies come in base64 or in RESP2 when asked for', async () => {
  const { ask, db, fetch } = await asking()
  db.hset('h', { a: new Uint8Array([255]) })
  const base64 = { headers: { 'upstash-encoding': 'base64' } }
  assert.deepEqual(await ask('/hgetall/h', base64), [200, { result: ['YQ==', '/w=='] }])
  assert.deepEqual(await ask('/set/k/v', base64), [200, { result: 'OK' }])
  assert.deepEqual(await ask('/ping', base64), [200, { result: 'UE9ORw==' }])
  const raw = async (path, body) => {
    const response = await fetch(new Request(`http://localhost${path}`, { method: body ? 'POST' : 'GET', body, headers: { authorization: 'Bearer all', 'upstash-response-format': 'resp2' } }))
    assert.equal(response.headers.get('content-type'), 'application/octet-stream')
    return Buffer.from(await response.arrayBuffer()).toString('latin1')
  }
  assert.equal(await raw('/hgetall/h'), '*2\r\n$1\r\na\r\n$1\r\n\xff\r\n')
  assert.equal(await raw('/pipeline', '[["GET","k"],["INCR","h"]]'), '*2\r\n$1\r\nv\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n')
  assert.equal((await ask('/get/k', { headers: { 'upstash-response-format': 'resp3' } }))[0], 400)
  assert.equal((await ask('/get/k', { headers: { 'upstash-response-format': 'resp2', 'upstash-encoding': 'base64' } }))[0], 400)
})

test('a reader reads, and changes nothing', async () => {
  const { ask, db } = await asking()
  db.set('k', 'v')
  const read = (path) => ask(path, { token: READER })
  assert.deepEqual(await read('/get/k'), [200, { result: 'v' }])
  assert.deepEqual(await read('/object/encoding/k'), [200, { result: 'embstr' }])
  assert.deepEqual(await read('/ping'), [200, { result: 'PONG' }])
  for (const path of ['/set/k/w', '/keys/*', '/scan/0', '/flushall', '/config/set/maxmemory/1', '/publish/c/m', '/acl/whoami', '/monitor', '/eval/return%201/0']) {
    const [status, { error }] = await read(path)
    assert.deepEqual([path, status, error.split(' ')[0]], [path, 400, 'NOPERM'])
  }
  assert.equal((await ask('/multi-exec', { method: 'POST', token: READER, body: '[["GET","k"],["SET","k","w"]]' }))[0], 400)
  assert.equal(db.get('k'), 'v')
})

test('nobody comes in without a token, unless there is none to be', async () => {
  const { ask } = await asking()
  for (const token of ['', 'wrong', 'al', 'alll']) assert.deepEqual(await ask('/get/k', { token }), [401, { error: 'WRONGPASS invalid or missing auth token' }])
  const db = await open()
  for (const options of [undefined, {}, { token: '' }]) assert.throws(() => handler(db, options), TypeError)
  const everybody = handler(db, { token: false })
  assert.equal((await everybody(new Request('http://localhost/get/k'))).status, 200)
  assert.equal((await everybody(new Request('http://localhost/get/k'))).headers.get('access-control-allow-origin'), null)
})

test('pages of other origins may ask, and read the sync token', async () => {
  const { fetch } = await asking()
  const preflight = await fetch(new Request('http://localhost/pipeline', { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-headers': 'authorization, upstash-encoding' } }))
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  assert.equal(preflight.headers.get('access-control-allow-headers'), 'authorization, upstash-encoding')
  const response = await fetch(new Request('http://localhost/ping', { headers: { authorization: `Bearer ${TOKEN}` } }))
  assert.match(response.headers.get('upstash-sync-token'), /^\d+$/)
  assert.equal(response.headers.get('access-control-expose-headers'), 'upstash-sync-token')
})

test('subscriptions and MONITOR are events, until the client has enough', async () => {
  const { db, fetch } = await asking()
  const events = async (path) => (await fetch(new Request(`http://localhost${path}`, { method: 'POST', body: '[]', headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/event-stream' } }))).body.pipeThrough(new TextDecoderStream()).getReader()
  const chat = await events('/subscribe/chat')
  assert.equal((await chat.read()).value, 'data: subscribe,chat,1\n\n')
  db.publish('chat', 'two\nlines')
  assert.equal((await chat.read()).value, 'data: message,chat,two\ndata: lines\n\n')
  const some = await events('/psubscribe/c*')
  assert.equal((await some.read()).value, 'data: psubscribe,c*,1\n\n')
  db.publish('chat', 'a,b')
  assert.equal((await some.read()).value, 'data: pmessage,c*,chat,a,b\n\n')
  await Promise.all([chat.cancel(), some.cancel()])
  assert.equal(db.publish('chat', ''), 0)
  const monitor = await events('/monitor')
  assert.equal((await monitor.read()).value, 'data: "OK"\n\n')
  db.get('k')
  assert.match((await monitor.read()).value, /^data: \d+\.\d+ \[0 in-process:0\] "get" "k"\n\n$/i)
  await monitor.cancel()
})

test('a base path stands before the others', async () => {
  const { ask } = await asking({ basePath: '/api/redis/' })
  assert.deepEqual(await ask('/api/redis/set/k/v'), [200, { result: 'OK' }])
  assert.deepEqual(await ask('/api/redis', { method: 'POST', body: '["GET","k"]' }), [200, { result: 'v' }])
  assert.equal((await ask('/get/k'))[0], 400)
})
