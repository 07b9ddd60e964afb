// Several clients at one store, drawn from a seed, beside a model of plain JavaScript that says what each reply has to be.
// It draws nothing, and knows no page: the same seed gives the same requests everywhere.

const KEYS = 24
const CLIENTS = 4
const START = 1_767_225_600_000
/** So many steps lie between two comparisons of everything. */
const ROUND = 500

export const INVARIANTS = {
  reply: 'Each reply is what the model says',
  size: 'There are as many keys as the model has',
  life: 'A key is gone at its time, and not before',
  twin: 'Another store, asked the same, gives the same bytes',
  snapshot: 'A snapshot opened elsewhere holds the same',
}

/** Numbers from 0 up to 1, the same for the same seed: mulberry32. */
export function randomness(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export class Simulation {
  #open
  #random
  #now = START
  #db
  #twin
  #clients
  #model = new Map()
  steps = 0
  /** How often each invariant was found true. */
  held = Object.fromEntries(Object.keys(INVARIANTS).map((name) => [name, 0]))

  static async begin(open, seed) {
    const simulation = new Simulation()
    simulation.#open = open
    simulation.#random = randomness(seed)
    const now = () => simulation.#now
    simulation.#db = await open({ now })
    simulation.#twin = await open({ now })
    simulation.#clients = Array.from({ length: CLIENTS }, () => [simulation.#db.connect(), simulation.#twin.connect()])
    return simulation
  }

  /**
   * Asks for one thing, and compares. What is not as it should be is thrown, with the request.
   * @returns {{ client: number, key: number, words: string[], kind: string }}
   */
  step() {
    const dice = this.#random
    if (dice() < 0.1) this.#now += Math.floor(dice() * 400)
    this.#expire()
    const client = Math.floor(dice() * CLIENTS)
    const key = Math.floor(dice() * KEYS)
    const [kind, make] = REQUESTS[Math.floor(dice() * REQUESTS.length)]
    const words = make(`key:${key}`, dice)
    const expected = this.#expected(words)
    const [ours, other] = this.#clients[client].map((it) => it.send(...words.map(String)))
    this.steps++
    this.#hold('reply', decode(ours) === expected, words, decode(ours), expected)
    this.#hold('twin', decode(ours) === decode(other), words, decode(ours), decode(other))
    this.#hold('size', this.#db.dbsize() === this.#model.size, words, this.#db.dbsize(), this.#model.size)
    if (words[0] === 'PTTL') this.held.life++
    return { client, key, words, kind: expected.startsWith('-') ? 'refused' : kind }
  }

  /** Whether it is time to compare everything. */
  get isRound() {
    return this.steps % ROUND === 0
  }

  /** Opens a snapshot elsewhere, and compares every key. */
  async compare() {
    const now = () => this.#now
    const copy = await this.#open({ now, snapshot: this.#db.snapshot() })
    try {
      const [before, after] = [contents(this.#db), contents(copy)]
      this.#hold('snapshot', before === after, ['snapshot'], after, before)
    } finally {
      copy.close()
    }
  }

  end() {
    this.#db.close()
    this.#twin.close()
  }

  #hold(name, isTrue, words, got, expected) {
    if (!isTrue) throw new Error(`Step ${this.steps}, ${words.join(' ')}: ${INVARIANTS[name]}. It said ${JSON.stringify(got)}, not ${JSON.stringify(expected)}.`)
    this.held[name]++
  }

  #expire() {
    for (const [key, { until }] of this.#model) if (until <= this.#now) this.#model.delete(key)
  }

  /** What the store has to say, as RESP3, by the model, which changes likewise. */
  #expected([name, key, ...args]) {
    const entry = this.#model.get(key)
    const put = (value) => this.#model.set(key, { until: entry?.until ?? Infinity, value })
    const [type, empty] = TYPES[name] ?? []
    if (type && entry && !isOf(entry.value, type)) return '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'
    const value = entry?.value ?? empty?.()
    switch (name) {
      case 'SET':
        this.#model.set(key, { until: Infinity, value: String(args[0]) })
        return '+OK\r\n'
      case 'GET':
        return bulk(value)
      case 'APPEND':
        put(value + args[0])
        return integer(value.length + args[0].length)
      case 'INCR': {
        const text = entry ? value : '0'
        if (!/^(0|-?[1-9]\d{0,17})$/.test(text)) return '-ERR value is not an integer or out of range\r\n'
        put(String(Number(text) + 1))
        return integer(Number(text) + 1)
      }
      case 'DEL':
        return integer(this.#model.delete(key) ? 1 : 0)
      case 'PEXPIRE':
        if (entry) entry.until = this.#now + args[0]
        return integer(entry ? 1 : 0)
      case 'PTTL':
        return integer(!entry ? -2 : entry.until === Infinity ? -1 : entry.until - this.#now)
      case 'RPUSH':
        value.push(args[0])
        put(value)
        return integer(value.length)
      case 'LPOP': {
        const first = value.shift()
        if (entry && value.length === 0) this.#model.delete(key)
        return bulk(first)
      }
      case 'LRANGE':
        return `*${value.length}\r\n${value.map(bulk).join('')}`
      case 'HSET': {
        const isNew = !value.has(args[0])
        value.set(args[0], args[1])
        put(value)
        return integer(isNew ? 1 : 0)
      }
      case 'HGET':
        return bulk(value.get(args[0]))
      case 'HDEL': {
        const isGone = value.delete(args[0])
        if (entry && value.size === 0) this.#model.delete(key)
        return integer(isGone ? 1 : 0)
      }
      case 'SADD': {
        const isNew = !value.has(args[0])
        put(value.add(args[0]))
        return integer(isNew ? 1 : 0)
      }
      case 'SISMEMBER':
        return integer(value.has(args[0]) ? 1 : 0)
      case 'SREM': {
        const isGone = value.delete(args[0])
        if (entry && value.size === 0) this.#model.delete(key)
        return integer(isGone ? 1 : 0)
      }
    }
    throw new Error(`the model knows no ${name}`)
  }
}

function isOf(value, type) {
  return type === 'string' ? typeof value === 'string' : value instanceof type
}

const TYPES = {
  GET: ['string'],
  APPEND: ['string', () => ''],
  INCR: ['string'],
  RPUSH: [Array, () => []],
  LPOP: [Array, () => []],
  LRANGE: [Array, () => []],
  HSET: [Map, () => new Map()],
  HGET: [Map, () => new Map()],
  HDEL: [Map, () => new Map()],
  SADD: [Set, () => new Set()],
  SISMEMBER: [Set, () => new Set()],
  SREM: [Set, () => new Set()],
}

const some = (dice, count) => Math.floor(dice() * count)

/** What is asked for, each as often as others of the list. */
const REQUESTS = [
  ['string', (key, dice) => ['SET', key, String(some(dice, 100))]],
  ['string', (key) => ['GET', key]],
  ['string', (key, dice) => ['APPEND', key, 'abcdef'.slice(some(dice, 6))]],
  ['string', (key) => ['INCR', key]],
  ['key', (key) => ['DEL', key]],
  ['key', (key) => ['DEL', key]],
  ['key', (key, dice) => ['PEXPIRE', key, 1 + some(dice, 2000)]],
  ['key', (key) => ['PTTL', key]],
  ['list', (key, dice) => ['RPUSH', key, `job ${some(dice, 1000)}`]],
  ['list', (key) => ['LPOP', key]],
  ['list', (key) => ['LRANGE', key, 0, -1]],
  ['hash', (key, dice) => ['HSET', key, `field ${some(dice, 8)}`, String(some(dice, 1e6))]],
  ['hash', (key, dice) => ['HGET', key, `field ${some(dice, 8)}`]],
  ['hash', (key, dice) => ['HDEL', key, `field ${some(dice, 8)}`]],
  ['set', (key, dice) => ['SADD', key, `member ${some(dice, 12)}`]],
  ['set', (key, dice) => ['SISMEMBER', key, `member ${some(dice, 12)}`]],
  ['set', (key, dice) => ['SREM', key, `member ${some(dice, 12)}`]],
]

function integer(value) {
  return `:${value}\r\n`
}

function bulk(text) {
  return text === undefined ? '_\r\n' : `$${text.length}\r\n${text}\r\n`
}

const decoder = new TextDecoder()

function decode(bytes) {
  return decoder.decode(bytes)
}

/** All keys with their digests and times, in order. */
function contents(db) {
  return JSON.stringify(db.keys('*').sort().map((key) => [key, db.type(key), db.pexpiretime(key), sorted(db, key)]))
}

/** The value of a key, in an order of its own where it has none. */
function sorted(db, key) {
  switch (db.type(key)) {
    case 'string':
      return db.get(key)
    case 'list':
      return db.lrange(key, 0, -1)
    case 'hash':
      return Object.entries(db.hgetall(key)).sort()
    case 'set':
      return db.smembers(key).sort()
  }
}
