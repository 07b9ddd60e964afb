// What the types allow and what they do not; compiled by types.test.js and never run.
import { ReplyError, open, type Commands, type Connection, type Store } from 'keyside'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function is<A, B>(_same: Same<A, B>) {}

const db: Store = await open({ now: () => 0, wasm: new URL('file:///keyside.wasm') })

const set = db.set('key', 1, { ex: 60, nx: true })
is<typeof set, 'OK' | null>(true)
const old = db.set('key', new Uint8Array(), { get: true })
is<typeof old, string | null>(true)
const text = db.get(1n)
is<typeof text, string | null>(true)
const bytes = db.bytes.get('key')
is<typeof bytes, Uint8Array | null>(true)
const many = db.mget('a', 'b')
is<typeof many, (string | null)[]>(true)
db.mget(['a', 'b'] as const)
db.mset({ a: 1, b: 'two', c: new Uint8Array() })
db.mset(new Map([['a', 1]]))
db.mset([['a', 1], [new Uint8Array(), 2n]])
const hash = db.hgetall('hash')
is<typeof hash, Record<string, string>>(true)
const byteHash = db.bytes.hgetall('hash')
is<typeof byteHash, Record<string, Uint8Array>>(true)
const members = db.zrange('board', 0, -1)
is<typeof members, string[]>(true)
const scored = db.zrange('board', 0, -1, { withscores: true, rev: true, limit: [0, 10] })
is<typeof scored, [string, number][]>(true)
db.zadd('board', { ada: 10 }, { gt: true })
db.zadd('board', [[1, 'ada']])
const popped = db.lpop('list')
is<typeof popped, string | null>(true)
const several = db.lpop('list', 2)
is<typeof several, string[] | null>(true)
const anything = db.call('OBJECT', 'ENCODING', 'key')
is<typeof anything, unknown>(true)
const other: Connection = db.connect()
other.on('push', (resp: Uint8Array) => console.log(resp))
other.on('message', (channel: string, message: string) => console.log(channel, message))
other.bytes.on('message', (channel: Uint8Array) => console.log(channel))
const resp = db.send(new Uint8Array([0x47]), 'key')
is<typeof resp, Uint8Array>(true)
const commands: Commands<string> = db
commands.get('key')
{
  using scoped = await open()
  scoped.get('key')
}
const code: string = new ReplyError('ERR no').code
console.log(code)

const replies = db.multi().set('a', 1).hgetall('h').lpop('l').call('PING').exec()
is<typeof replies, ['OK' | string | null, Record<string, string>, string | string[] | null, unknown] | null>(true)
const numbers = db.bytes.pipeline().incr('n').mget('a').exec()
is<typeof numbers, [number, (Uint8Array | null)[]]>(true)
for await (const { channel, message } of db.subscribe('news')) {
  is<typeof channel, string>(true)
  is<typeof message, string>(true)
}
for await (const { pattern } of db.bytes.psubscribe(['n*'], { signal: AbortSignal.timeout(1) })) is<typeof pattern, Uint8Array>(true)
for await (const [member, score] of db.zscanIterator('board', { match: 'a*' })) {
  is<typeof member, string>(true)
  is<typeof score, number>(true)
}
db.on('invalidate', (keys) => is<typeof keys, string[] | null>(true))

// @ts-expect-error a key is missing
db.get()
// @ts-expect-error an object is no key
db.get({})
// @ts-expect-error null is no value
db.set('key', null)
// @ts-expect-error there is no such option
db.set('key', 'value', { exx: 1 })
// @ts-expect-error a switch is a boolean
db.set('key', 'value', { nx: 1 })
// @ts-expect-error seconds are a number
db.set('key', 'value', { ex: true })
// @ts-expect-error no key at all
db.mget()
// @ts-expect-error pairs are no words
db.hset('hash', 'field', 'value')
// @ts-expect-error a limit has two numbers
db.zrange('board', 0, -1, { limit: [1] })
// @ts-expect-error there is no such command
db.nothing()
// @ts-expect-error a command has a name
db.call()
// @ts-expect-error not for users
void db.instance
