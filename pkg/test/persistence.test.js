// Stores that are kept: in a place that fails at every step, and in directories that a process is killed over.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { open, PersistError, TakenError } from 'keyside'

import { MemoryStorage } from './memory-storage.js'

const here = fileURLToPath(new URL('.', import.meta.url))

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'keyside-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('what was there at the barrier is there when it is opened again', async () => {
  const storage = new MemoryStorage()
  const db = await open({ persist: storage })
  assert.equal(db.place, 'memory')
  db.set('text', 'ü', { ex: 100 })
  db.hset('h', { a: 1 })
  db.multi().rpush('l', 1, 2).select(3).set('elsewhere', 1).exec()
  await db.persisted()
  const again = await open({ persist: storage.copy() })
  assert.deepEqual([again.get('text'), again.ttl('text'), again.hgetall('h'), again.lrange('l', 0, -1)], ['ü', 100, { a: '1' }, ['1', '2']])
  again.select(3)
  assert.equal(again.get('elsewhere'), '1')
  again.incr('elsewhere')
  again.select(0)
  again.set('more', 1)
  await again.close()
  await db.close()
})

test('a close waits for the last change', async () => {
  const storage = new MemoryStorage()
  const closed = await open({ persist: storage })
  closed.set('k', 'v')
  await closed[Symbol.asyncDispose]()
  const db = await open({ persist: storage })
  assert.equal(db.get('k'), 'v')
  await db.close()
})

test('always keeps changes without being asked', async () => {
  const storage = new MemoryStorage()
  const db = await open({ persist: storage, appendfsync: 'always' })
  db.set('k', 'v')
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.match(new TextDecoder().decode(storage.files.get('appendonly.aof.1.incr.aof')), /SET\r\n\$1\r\nk\r\n\$1\r\nv/)
  await db.close()
})

test('a snapshot fills a place that holds nothing, and no other', async () => {
  const other = await open()
  other.set('k', 'from the snapshot')
  const storage = new MemoryStorage()
  const db = await open({ persist: storage, snapshot: other.snapshot() })
  assert.equal(db.get('k'), 'from the snapshot')
  db.set('k', 'changed')
  await db.close()
  const again = await open({ persist: storage, snapshot: other.snapshot() })
  assert.equal(again.get('k'), 'changed')
  await again.close()
})

test('two stores never have one place', async () => {
  const storage = new MemoryStorage()
  const db = await open({ persist: storage })
  await assert.rejects(open({ persist: storage }), TakenError)
  await db.close()
  await (await open({ persist: storage })).close()
})

/** Changes a store at random, with waits between; `model` is what it should hold. */
async function change(db, model, rounds, seed) {
  let state = seed
  const draw = (n) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n
  for (let i = 0; i < rounds; i++) {
    const key = `k${draw(20)}`
    if (draw(4) === 0) {
      db.del(key)
      model.delete(key)
    } else {
      const value = `${i}`.repeat(1 + draw(30))
      db.set(key, value)
      model.set(key, value)
    }
    if (draw(10) === 0) await new Promise((resolve) => setTimeout(resolve, 0))
  }
}

function contents(db) {
  return new Map(db.keys('*').sort().map((key) => [key, db.get(key)]))
}

const sorted = (map) => new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)))

test('whichever call fails, the store goes on, and everything is kept in the end', async () => {
  for (let at = 0; at < 40; at++) {
    const storage = new MemoryStorage()
    const events = []
    const db = await open({ persist: storage, appendfsync: 'always', onPersist: ({ kind }) => events.push(kind) })
    db.config_set({ 'auto-aof-rewrite-min-size': 1000 })
    const model = new Map()
    const failing = storage.calls + at
    storage.fails = (call) => {
      if (call === failing) throw new Error('it failed')
    }
    await change(db, model, 60, at)
    const barrier = () => db.persisted().catch((error) => assert.ok(error instanceof PersistError))
    await barrier()
    await change(db, model, 60, at + 1)
    await barrier()
    await db.persisted()
    assert.deepEqual(events, storage.calls > failing && events.length ? ['error', 'recovered'] : [])
    const again = await open({ persist: storage.copy() })
    assert.deepEqual(contents(again), sorted(model), `after call ${at} failed`)
    await again.close()
    await db.close()
  }
})

test('a crash before any call leaves a state that was, not older than the last barrier', async () => {
  const storage = new MemoryStorage()
  const crashes = []
  const states = []
  let barrier = 0
  storage.fails = () => crashes.push({ storage: storage.copy(), barrier })
  const db = await open({ persist: storage })
  db.config_set({ 'auto-aof-rewrite-min-size': 300 })
  states.push('[]')
  for (let i = 0; i < 60; i++) {
    const model = contents(db)
    await change(db, model, 1, i)
    states.push(JSON.stringify([...sorted(model)]))
    if (i % 3 === 0) {
      await db.persisted()
      barrier = states.length - 1
    }
  }
  assert.ok(storage.files.size > 0 && +/\d+/.exec([...storage.files.keys()].find((name) => name.endsWith('.rdb')))[0] > 2, 'it was rewritten')
  for (const crash of crashes) {
    // Before there is a manifest there was no store.
    const again = await open({ persist: crash.storage, onPersist() {} })
    const state = JSON.stringify([...contents(again)])
    assert.ok(states.lastIndexOf(state) >= crash.barrier, `${state} is older than ${states[crash.barrier]}`)
    await again.close()
  }
  await db.close()
})

test('a torn end is cut off, reported, and written over', async () => {
  const storage = new MemoryStorage()
  const db = await open({ persist: storage })
  db.set('a', 1)
  db.multi().set('b', 1).set('c', 1).exec()
  await db.close()
  const name = 'appendonly.aof.1.incr.aof'
  const whole = storage.files.get(name)
  for (let length = whole.length - 1; length > 0; length -= 3) {
    const torn = storage.copy()
    torn.files.set(name, whole.slice(0, length))
    const events = []
    const again = await open({ persist: torn, onPersist: (event) => events.push(event) })
    assert.equal(again.exists('b'), again.exists('c'), 'a transaction is there or not')
    again.set('d', 1)
    await again.close()
    assert.ok(events.every(({ kind, bytes }) => kind === 'cut' && bytes > 0) && events.length <= 1)
    const last = await open({ persist: torn, onPersist: () => assert.fail('it is whole now') })
    assert.equal(last.get('d'), '1')
    await last.close()
  }
})

test('what is damaged is refused, says where, and stays as it is', async () => {
  const storage = new MemoryStorage()
  const db = await open({ persist: storage })
  db.set('a', 1)
  await db.close()
  const damage = async (name, change, says) => {
    const damaged = storage.copy()
    damaged.files.set(name, change(damaged.files.get(name).slice()))
    const before = damaged.copy()
    await assert.rejects(open({ persist: damaged }), says)
    assert.deepEqual(damaged.files, before.files)
  }
  const bytes = (text) => new TextEncoder().encode(text)
  await damage('appendonly.aof.1.incr.aof', (file) => (file.fill(0x78, 3, 6), file), /memory is damaged: appendonly\.aof\.1\.incr\.aof: .* at byte \d+.*start anew/)
  await damage('appendonly.aof.1.base.rdb', (file) => file.subarray(0, file.length - 10), /base\.rdb: it ends too early/)
  await damage('appendonly.aof.1.base.rdb', () => new Uint8Array(0), /base\.rdb: it ends too early/)
  await damage('appendonly.aof.manifest', () => bytes('# keyside 2\nfile x seq 1 type b\n'), /format 2, this one has 1/)
  await damage('appendonly.aof.manifest', () => bytes('hello\n'), /makes no sense: hello/)
})

test('a place that is full is reported with what helps, and used again when there is room', async () => {
  const storage = new MemoryStorage()
  const events = []
  const db = await open({ persist: storage, onPersist: (event) => events.push(event) })
  storage.fails = () => {
    throw Object.assign(new Error('no room'), { name: 'QuotaExceededError' })
  }
  db.set('k', 1)
  await assert.rejects(db.persisted(), (error) => error instanceof PersistError && /there is no room left.*remove data/.test(error.message))
  assert.equal(db.incr('k'), 2, 'the store goes on')
  storage.fails = () => {}
  await db.persisted()
  assert.deepEqual(events.map(({ kind }) => kind), ['error', 'recovered'])
  const again = await open({ persist: storage.copy() })
  assert.equal(again.get('k'), '2')
  await again.close()
  await db.close()
})

test('a directory is kept, locked, and read by redis-server', async (t) => {
  const directory = folder(t)
  const db = await open({ persist: `file://${directory}` })
  db.zadd('z', { a: 1.5 })
  db.set('k', 'v'.repeat(100_000))
  await db.persisted()
  await assert.rejects(open({ persist: `file://${directory}` }), (error) => error instanceof TakenError && /in use by another store/.test(error.message))
  const script = `import { open } from 'keyside'; await open({ persist: 'file://${directory}' }).then(() => console.log('open'), (error) => console.log(error.message))`
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: here, encoding: 'utf8' })
  assert.match(said, new RegExp(`in use by another store; process ${process.pid} has it`))
  db.bgrewriteaof()
  await db.persisted()
  db.set('after', 1)
  await db.close()
  assert.deepEqual(readdirSync(join(directory, 'appendonlydir')).filter((name) => /lock|temp/.test(name)), [])
  const again = await open({ persist: new URL(`file://${directory}`) })
  assert.deepEqual([again.zscore('z', 'a'), again.strlen('k'), again.get('after')], [1.5, 100_000, '1'])
  await again.close()
  const checked = execFileSync('redis-check-aof', [join(directory, 'appendonlydir/appendonly.aof.manifest')], { encoding: 'utf8' })
  assert.match(checked, /All AOF files and manifest are valid/)
})

test('a lock of a process that is no more is broken', async (t) => {
  const directory = folder(t)
  await (await open({ persist: `file://${directory}` })).close()
  const lock = join(directory, 'appendonlydir/keyside.lock')
  for (const text of [JSON.stringify({ pid: 2 ** 22 + 1, start: '1', host: (await import('node:os')).hostname() }), 'torn']) {
    writeFileSync(lock, text)
    await (await open({ persist: `file://${directory}` })).close()
  }
})

test('what a process was told is safe is there after it was killed', { timeout: 60_000 }, async (t) => {
  const directory = folder(t)
  const script = `
    import { open } from 'keyside'
    const db = await open({ persist: 'file://${directory}', appendfsync: 'always' })
    db.config_set({ 'auto-aof-rewrite-min-size': 20000 })
    for (let i = +(db.get('n') ?? 0) + 1; ; i++) {
      db.multi().set('n', i).set('k' + i % 100, i).exec()
      await db.persisted()
      console.log(i)
    }`
  let told = 0
  for (let round = 0; round < +(process.env.ROUNDS ?? 5); round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: here })
    let said = ''
    child.stdout.on('data', (text) => (said += text))
    const errors = []
    child.stderr.on('data', (text) => errors.push(String(text)))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    assert.deepEqual(errors.filter((error) => !/cut off/.test(error)), [])
    const lines = said.split('\n').slice(0, -1)
    told = Math.max(told, +(lines.at(-1) ?? 0))
    const db = await open({ persist: `file://${directory}`, onPersist() {} })
    const n = +db.get('n')
    assert.ok(n >= told, `${n} is there, ${told} was told`)
    assert.equal(db.get(`k${n % 100}`), String(n), 'a transaction is whole')
    await db.close()
  }
  assert.ok(told > 100)
})

test('an end that is torn on the disk, and a place that is no place, are told', async (t) => {
  const directory = folder(t)
  const db = await open({ persist: `file://${directory}` })
  db.set('k', 1)
  await db.close()
  const [part] = readdirSync(join(directory, 'appendonlydir')).filter((name) => name.endsWith('.incr.aof'))
  appendFileSync(join(directory, 'appendonlydir', part), '*3\r\n$3\r\nSE')
  const events = []
  await (await open({ persist: `file://${directory}`, onPersist: (event) => events.push(event) })).close()
  assert.deepEqual(events, [{ kind: 'cut', place: `file://${directory}`, bytes: 10 }])
  assert.doesNotMatch(readFileSync(join(directory, 'appendonlydir', part), 'latin1'), /SE$/)
  await assert.rejects(open({ persist: 'idb://x' }), { name: 'TypeError', message: /persist must be file:\/\/… or a Storage here/ })
  await assert.rejects(open({ persist: 5 }), { name: 'TypeError', message: /open: persist must be a place/ })
  await assert.rejects(open({ persist: `file://${directory}/appendonlydir/${part}/x` }), /ENOTDIR/)
})
