// What goes in comes out: numbers, text and bytes of all kinds, and what is refused because it is none of them.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import { open } from 'keyside'

let db
before(async () => {
  db = await open()
})

test('integers beyond 2^53 come back as bigints, and others as numbers', () => {
  db.set('n', 2n ** 53n - 2n)
  assert.equal(db.incr('n'), 2 ** 53 - 1)
  assert.equal(db.incr('n'), 2n ** 53n)
  assert.equal(db.incrby('n', 2n ** 62n), 2n ** 53n + 2n ** 62n)
  assert.equal(db.decrby('n', 2n ** 62n), 2n ** 53n)
  db.set('n', -(2n ** 63n))
  assert.equal(db.incr('n'), -(2n ** 63n) + 1n)
})

test('integers of every length are read', () => {
  for (const n of [0, 7, -1, 10, 99, -99, 123456789, 1234567890, -123456789012, 2 ** 53 - 1]) {
    db.set('n', n - 1)
    assert.equal(db.incr('n'), n)
    assert.equal(db.get('n'), String(n))
  }
})

test('numbers are written as JavaScript writes them', () => {
  for (const [value, text] of [[1.5, '1.5'], [-0, '0'], [1e21, '1e+21'], [Infinity, 'inf'], [-Infinity, '-inf'], [10n ** 30n, '1' + '0'.repeat(30)]]) {
    db.set('k', value)
    assert.equal(db.get('k'), text)
  }
})

test('text of every length, in and beyond ASCII, comes back as it was', () => {
  for (const unit of ['x', 'é', '€', '😀', '\0', '\ufeff', '\r\n']) {
    for (const length of [0, 1, 2, 11, 12, 13, 23, 24, 25, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 5461, 5462, 16383, 16384, 70000]) {
      const text = unit.repeat(length)
      db.set(`k:${unit}`, text)
      assert.equal(db.get(`k:${unit}`), text, `${length} of ${JSON.stringify(unit)}`)
      assert.equal(db.strlen(`k:${unit}`), Buffer.byteLength(text))
    }
  }
})

test('text that turns from ASCII late is written whole', () => {
  for (const at of [0, 1, 10, 23, 24, 300]) {
    const text = 'a'.repeat(at) + 'ü' + 'b'.repeat(at)
    db.set(text, text)
    assert.equal(db.get(text), text)
  }
})

test('a text that UTF-8 cannot carry is refused, and nothing of its request happens', () => {
  for (const padding of ['', 'x'.repeat(40)]) {
    assert.throws(() => db.set('torn', `a\ud800b${padding}`), { name: 'TypeError', message: /^set: value must be text without lone surrogates, which UTF-8 cannot carry: mend it with toWellFormed\(\), or send bytes, not "/ })
    assert.throws(() => db.get(`\udc00${padding}`), { name: 'TypeError', message: /^get: key must be text without/ })
    assert.throws(() => db.hset('torn', { [`\udc00${padding}`]: 1 }), { name: 'TypeError', message: /^hset: / })
  }
  assert.equal(db.exists('torn'), 0)
  db.set('whole', '\u{1f600}')
  assert.equal(db.get('whole'), '\u{1f600}')
})

test('every byte is a value', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  db.set(bytes, bytes)
  assert.deepEqual(db.bytes.get(bytes), bytes)
  assert.deepEqual(db.bytes.get(Buffer.from(bytes)), bytes)
  db.set('part', bytes.subarray(10, 20))
  assert.deepEqual(db.bytes.get('part'), bytes.slice(10, 20))
  db.set('none', new Uint8Array())
  assert.deepEqual(db.bytes.get('none'), new Uint8Array())
})

test('bytes that are not UTF-8 read as text have replacement characters', () => {
  db.set('k', new Uint8Array([0x61, 0xff, 0x62]))
  assert.equal(db.get('k'), 'a\ufffdb')
})

test('big values go in and out, and the memory for the request is given back', () => {
  const text = 'é'.repeat(8 << 20)
  const bytes = new Uint8Array(16 << 20).fill(7)
  db.set('text', text)
  db.set('bytes', bytes)
  assert(db.get('text') === text)
  assert.equal(Buffer.compare(db.bytes.get('bytes'), bytes), 0)
  assert.equal(db.get('text').length, text.length)
  assert.equal(db.call('GET', 'text').length, text.length)
})

test('a request may have very many words', () => {
  const pairs = Array.from({ length: 50_000 }, (_, i) => [`key:${i}`, i])
  db.mset(pairs)
  assert.deepEqual(db.mget(pairs.map(([key]) => key)), pairs.map(([, value]) => String(value)))
})

test('fields that objects treat in their own way are fields like others', () => {
  const fields = [['__proto__', 'p'], ['constructor', 'c'], ['toString', 't'], ['', 'empty']]
  db.hset('odd', fields)
  const hash = db.hgetall('odd')
  assert.deepEqual(Object.entries(hash).sort(), fields.sort())
  assert.equal(Object.getPrototypeOf(hash), Object.prototype)
})

test('what is no value is refused by name, before anything happens', () => {
  const refused = (call, message) => assert.throws(call, { name: 'TypeError', message })
  refused(() => db.get(), 'get: key must be a string, a number, a bigint or a Uint8Array, not undefined')
  refused(() => db.get(null), /^get: key must be .*, not null$/)
  refused(() => db.set('k', {}), /^set: value must be .*, not an object \(Object\)$/)
  refused(() => db.set('k', ['a']), /^set: value must be .*, not an array$/)
  refused(() => db.set('k', NaN), /^set: value must be .*, not NaN$/)
  refused(() => db.set('k', Symbol('s')), /^set: value must be .*, not a symbol$/)
  refused(() => db.set('k', true), /^set: value must be .*, not true$/)
  refused(() => db.set('k', () => 1), /^set: value must be .*, not a function$/)
  refused(() => db.set('k', new Date()), /^set: value must be .*, not an object \(Date\)$/)
  refused(() => db.set('k', 'v', 'EX'), /^set: options must be an object, not "EX"$/)
  refused(() => db.set('k', 'v', null), /^set: options must be an object, not null$/)
  refused(() => db.set('k', 'v', { exx: 1 }), /^set: there is no option exx$/)
  refused(() => db.set('k', 'v', { ex: NaN }), /^set: ex must be .*, not NaN$/)
  refused(() => db.set('k', 'v', { ex: true }), /^set: ex must be .*, not true$/)
  refused(() => db.set('k', 'v', { nx: 1 }), /^set: nx must be true or false, not 1$/)
  refused(() => db.mget('a', undefined), /^mget: keys must be .*, not undefined$/)
  refused(() => db.mget(['a', {}]), /^mget: keys must be .*, not an object \(Object\)$/)
  refused(() => db.hset('h', 'field', 'value'), /^hset: /)
  refused(() => db.hset('h'), /^hset: pairs must be an object, a Map or an array of pairs, not undefined$/)
  refused(() => db.hset('h', { a: undefined }), /^hset: pairs must be .*, not undefined$/)
  refused(() => db.hset('h', [['a']]), /^hset: pairs must be made of arrays of 2, not an array$/)
  refused(() => db.zadd('z', { a: 'x' }, 'nx'), /^zadd: options must be an object, not "nx"$/)
  refused(() => db.call('GET', null), /^call: argument 2 must be .*, not null$/)
  refused(() => db.call(), /^call: /)
  assert.deepEqual(db.call('HGETALL', 'h'), {})
})

test('options that are undefined or false are left out', () => {
  assert.equal(db.set('o', 'v', {}), 'OK')
  assert.equal(db.set('o', 'v', undefined), 'OK')
  assert.equal(db.set('o', 'v', { ex: undefined, nx: false }), 'OK')
  assert.equal(db.set('o', 'v', { ex: '60', xx: true, keepttl: undefined }), 'OK')
})

test('an argument that calls the store while it is read does no harm', () => {
  const pairs = {
    a: 1,
    get b() {
      db.set('other', 'x'.repeat(100))
      return 2
    },
  }
  db.hset('reentrant', pairs)
  assert.deepEqual(db.hgetall('reentrant'), { a: '1', b: '2' })
  const options = {
    get ex() {
      return Number(db.get('hundred') ?? 100)
    },
  }
  db.set('k', 'value', options)
  assert.equal(db.get('k'), 'value')
})
