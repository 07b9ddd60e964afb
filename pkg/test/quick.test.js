// get and set have a way of their own through the module: whatever they are given, they do and say what `call` does.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { open } from 'keyside'

const VALUES = ['', 'text', 'é€😀', 'x'.repeat(1024), 'y'.repeat(1025), 'z'.repeat(200_000), 42, -7n, 2n ** 63n, 1.5, new Uint8Array([0, 255, 128])]
const OPTIONS = [undefined, {}, { ex: 60 }, { px: 60_000 }, { px: 1 }, { ex: undefined }, { ex: '60' }, { exat: 2e9 }, { nx: true, ex: 60 }, { keepttl: true }, { get: true }]
const REFUSED = [{ ex: 0 }, { ex: -1 }, { ex: 1.5 }, { px: 2 ** 53 }, { ex: 1, px: 1 }]

const words = (options = {}) => Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : value === true ? [name] : [name, value]))

/** What comes of a call: a value, or the message of what is thrown. */
function outcome(run) {
  try {
    return { value: run() }
  } catch (error) {
    return { message: error.message }
  }
}

test('methods and words do the same', async () => {
  let now = 1e12
  const [db, other] = [await open({ now: () => now }), await open({ now: () => now })]
  const same = (method, inWords) => assert.deepEqual(outcome(method), outcome(inWords))
  for (const options of [...OPTIONS, ...REFUSED]) {
    for (const value of VALUES) {
      same(() => db.set('k', value, options), () => other.call('SET', 'k', value, ...words(options)))
      same(() => db.pexpiretime('k'), () => other.pexpiretime('k'))
      same(() => db.get('k'), () => other.call('GET', 'k'))
      same(() => db.bytes.get('k'), () => other.bytes.call('GET', 'k'))
      same(() => db.get('missing'), () => other.call('GET', 'missing'))
      now += 2
      same(() => db.get('k'), () => other.call('GET', 'k'))
    }
  }
  same(() => db.rpush('list', 1), () => other.rpush('list', 1))
  same(() => db.get('list'), () => other.call('GET', 'list'))
  same(() => db.info('stats'), () => other.info('stats'))
  // Commands by their name are timed.
  const untimed = (text) => text.replaceAll(/usec.*?,rej/g, 'rej')
  same(() => untimed(db.info('commandstats')), () => untimed(other.info('commandstats')))
})

test('others hear of them', async () => {
  const db = await open()
  const [other, monitor] = [db.connect(), db.connect()]
  const heard = []
  other.on('pmessage', (...message) => heard.push(message))
  db.config_set({ 'notify-keyspace-events': 'KEA$xm' })
  other.call('PSUBSCRIBE', '__key*')
  db.set('k', 1, { px: 1000 })
  db.get('missing')
  const shown = []
  monitor.on('monitor', (line) => shown.push(line))
  monitor.call('MONITOR')
  db.set('k', 2)
  db.get('k')
  await null
  const events = heard.filter(([, channel]) => channel.startsWith('__keyevent')).map(([, channel, key]) => channel.split(':')[1] + ' ' + key)
  assert.deepEqual(events, ['set k', 'expire k', 'keymiss missing', 'set k'])
  assert.deepEqual(shown.map((line) => line.replace(/.*\] /, '')), ['"SET" "k" "2"', '"GET" "k"'])
})

test('a transaction has them wait, and a watched key that is set fails one', async () => {
  const db = await open()
  const other = db.connect()
  db.watch('k')
  db.call('MULTI')
  assert.equal(db.set('k', 1), 'QUEUED')
  assert.equal(db.get('k'), 'QUEUED')
  other.set('k', 2, { ex: 60 })
  assert.equal(db.exec(), null)
  assert.equal(db.get('k'), '2')
})

test('nothing else is taken for a time to live', async () => {
  const db = await open()
  for (const options of [{ nothing: 1 }, { ex: 'soon' }, 'ex', null, [60]]) assert.throws(() => db.set('k', 1, options), `${options}`)
  assert.equal(db.get('k'), null)
})
