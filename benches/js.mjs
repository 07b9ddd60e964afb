// keyside beside what else keeps data inside a JavaScript process: rounds of every contender alternate in one run, so that
// whatever slows the machine slows all of them, and the medians of their rounds are compared. `node --expose-gc
// benches/js.mjs [name …]` runs the cases whose names begin so. The record goes to benches/records.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

import Redis from 'ioredis-mock'
import { LRUCache } from 'lru-cache'

import { open } from '../pkg/dist/node.js'

const KEYS = 100_000
const ROUNDS = 9
const TTL = 3600
const VALUE = 'v'.repeat(64)

const key = (i) => `user:${i}:session`

/** The numbers below KEYS in an order that looks random and is the same in every run. */
const order = new Uint32Array(KEYS).map((_, i) => i)
for (let i = KEYS - 1, seed = 1; i > 0; i--) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  const j = seed % (i + 1)
  ;[order[i], order[j]] = [order[j], order[i]]
}

/** The next keys for a round of those that are too slow for all of them; in turn they come to all. */
const PART = KEYS / 20
let next = 0
function part() {
  next = (next + PART) % KEYS
  return order.subarray(next, next + PART)
}

/**
 * Each case names its contenders. One makes what it needs once and returns a round: so many operations, with their number.
 * A round of the slow ones is shorter.
 */
const CASES = {
  'SET with ttl': {
    keyside: async () => {
      const db = await open()
      return () => {
        for (let i = 0; i < KEYS; i++) db.set(key(order[i]), VALUE, { ex: TTL })
        return KEYS
      }
    },
    'lru-cache': () => {
      const cache = new LRUCache({ max: 2 * KEYS, ttl: TTL * 1000 })
      return () => {
        for (let i = 0; i < KEYS; i++) cache.set(key(order[i]), VALUE)
        return KEYS
      }
    },
    Map: () => {
      const map = new Map()
      return () => {
        for (let i = 0; i < KEYS; i++) map.set(key(order[i]), VALUE)
        return KEYS
      }
    },
    'ioredis-mock': () => {
      const redis = new Redis({ keyPrefix: 'set:' })
      return async () => {
        for (const i of part()) await redis.set(key(i), VALUE, 'EX', TTL)
        return PART
      }
    },
  },
  'GET with ttl': {
    keyside: async () => {
      const db = await open()
      for (let i = 0; i < KEYS; i++) db.set(key(i), VALUE, { ex: TTL })
      return () => {
        let length = 0
        for (let i = 0; i < KEYS; i++) length += db.get(key(order[i])).length
        return check(length, KEYS)
      }
    },
    'lru-cache': () => {
      const cache = new LRUCache({ max: 2 * KEYS, ttl: TTL * 1000 })
      for (let i = 0; i < KEYS; i++) cache.set(key(i), VALUE)
      return () => {
        let length = 0
        for (let i = 0; i < KEYS; i++) length += cache.get(key(order[i])).length
        return check(length, KEYS)
      }
    },
    Map: () => {
      const map = new Map()
      for (let i = 0; i < KEYS; i++) map.set(key(i), VALUE)
      return () => {
        let length = 0
        for (let i = 0; i < KEYS; i++) length += map.get(key(order[i])).length
        return check(length, KEYS)
      }
    },
    'ioredis-mock': async () => {
      const redis = new Redis({ keyPrefix: 'get:' })
      for (let i = 0; i < KEYS; i++) await redis.set(key(i), VALUE, 'EX', TTL)
      return async () => {
        let length = 0
        for (const i of part()) length += (await redis.get(key(i))).length
        return check(length, PART)
      }
    },
  },
  'INCR': {
    keyside: async () => {
      const db = await open()
      return () => {
        for (let i = 0; i < KEYS; i++) db.incr(key(order[i]))
        return KEYS
      }
    },
    Map: () => {
      const map = new Map()
      return () => {
        for (let i = 0; i < KEYS; i++) {
          const name = key(order[i])
          map.set(name, (map.get(name) ?? 0) + 1)
        }
        return KEYS
      }
    },
    'ioredis-mock': () => {
      const redis = new Redis({ keyPrefix: 'incr:' })
      return async () => {
        for (const i of part()) await redis.incr(key(i))
        return PART
      }
    },
  },
  'HSET of 2 fields': {
    keyside: async () => {
      const db = await open()
      return () => {
        for (let i = 0; i < KEYS; i++) db.hset(key(order[i]), { user_id: i, role: 'user' })
        return KEYS
      }
    },
    'ioredis-mock': () => {
      const redis = new Redis({ keyPrefix: 'hset:' })
      return async () => {
        for (const i of part()) await redis.hset(key(i), { user_id: i, role: 'user' })
        return PART
      }
    },
  },
  'HSET into 10 k': {
    keyside: async () => {
      const db = await open()
      for (let i = 0; i < KEYS / 10; i++) db.hset('sessions', { [key(i)]: VALUE })
      return () => {
        for (let i = 0; i < KEYS; i++) db.hset('sessions', { [key(order[i] % (KEYS / 10))]: VALUE })
        return KEYS
      }
    },
    'ioredis-mock': async () => {
      const redis = new Redis({ keyPrefix: 'hset10k:' })
      for (let i = 0; i < KEYS / 10; i += 1000) {
        await redis.hset('sessions', Object.fromEntries(Array.from({ length: 1000 }, (_, j) => [key(i + j), VALUE])))
      }
      return async () => {
        for (const i of part().subarray(0, 100)) await redis.hset('sessions', key(i % (KEYS / 10)), VALUE)
        return 100
      }
    },
  },
  'ZADD into 100 k': {
    keyside: async () => {
      const db = await open()
      for (let i = 0; i < KEYS; i++) db.zadd('board', { [key(i)]: i })
      return () => {
        for (let i = 0; i < KEYS; i++) db.zadd('board', { [key(order[i])]: i })
        return KEYS
      }
    },
    'ioredis-mock': async () => {
      const redis = new Redis({ keyPrefix: 'zadd:' })
      // A call with all of them has more arguments than the stack holds.
      for (let i = 0; i < KEYS; i += 10_000) {
        await redis.zadd('board', ...Array.from({ length: 10_000 }, (_, j) => [i + j, key(i + j)]).flat())
      }
      return async () => {
        for (const i of part().subarray(0, 10)) await redis.zadd('board', i, key(i))
        return 10
      }
    },
  },
}

function check(length, operations) {
  if (length !== operations * VALUE.length) throw new Error('a value is missing')
  return operations
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]
}

/** Nanoseconds an operation, by contender. */
async function measure(contenders) {
  const rounds = []
  for (const [name, prepare] of Object.entries(contenders)) rounds.push({ name, round: await prepare(), times: [] })
  for (let i = 0; i < ROUNDS + 2; i++) {
    for (const { round, times } of rounds) {
      globalThis.gc?.()
      const start = performance.now()
      const operations = await round()
      const took = ((performance.now() - start) * 1e6) / operations
      // The first two rounds warm up.
      if (i >= 2) times.push(took)
    }
  }
  return Object.fromEntries(rounds.map(({ name, times }) => [name, median(times)]))
}

const load = loadavg()[0].toFixed(1)
const wanted = process.argv.slice(2)
const lines = [`${'case'.padEnd(20)}${'contender'.padEnd(16)}${'ns/op'.padStart(10)}${'keyside takes'.padStart(16)}`]
console.log(lines[0])
for (const [name, contenders] of Object.entries(CASES)) {
  if (wanted.length && !wanted.some((it) => name.startsWith(it))) continue
  const times = await measure(contenders)
  for (const [contender, time] of Object.entries(times)) {
    const ratio = contender === 'keyside' ? '' : `${(times.keyside / time).toPrecision(2)} of it`
    lines.push(`${name.padEnd(20)}${contender.padEnd(16)}${time.toFixed(0).padStart(10)}${ratio.padStart(16)}`)
    console.log(lines.at(-1))
  }
}

if (!wanted.length) {
  const folder = new URL('./records/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8' }).trim()
  const machine = `${cpus()[0].model.trim()} × ${cpus().length}, Node ${process.version}, load ${load}`
  const head = `## ${new Date().toISOString().slice(0, 10)}, ${commit}, ${machine}`
  appendFileSync(new URL('js.md', folder), `${head}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\`\n\n`)
}
