/** The store and its connections as users know them: a method for every command. */
import { Collector, collect, type Batch } from './batch.js'
import { SIGNATURES, type Commands } from './commands.js'
import { BY_NAME, Instance, type Caller } from './instance.js'
import type { Keeper } from './keeper.js'
import { Push, decoder, double } from './reply.js'
import { Signature } from './signature.js'
import { Subscription, type Message, type PatternMessage, type SubscribeOptions } from './subscription.js'
import { mismatch, type Names, type Numeric, type Some, type Value } from './values.js'
import { channelsOf, databaseOf, eventOf, flagsWith, type WatchCallback, type WatchOptions } from './watching.js'

/** Options of the iterators of the SCAN family. */
export interface ScanOptions {
  /** Only what fits this pattern. */
  match?: Value
  /** About how many are looked at in one step. */
  count?: Numeric
}

/** Who is called with what comes after the kind of a message. */
export type Listener<Bytes> = (...values: Bytes[]) => void

/** Who is called with RESP3 as a socket would carry it. */
export type PushListener = (bytes: Uint8Array) => void

/** A client of the engine, seen through strings or through bytes. It has a method for every command. */
class Client<Bytes> {
  /** @internal */
  instance: Instance
  /** @internal */
  readonly id: number
  /** @internal */
  readonly asBytes: boolean
  readonly #listeners: Map<string, Set<Listener<never>>> = new Map()

  /** @internal */
  constructor(instance: Instance, id: number, asBytes: boolean) {
    this.instance = instance
    this.id = id
    this.asBytes = asBytes
  }

  /** Runs any command: its name and its arguments, word by word. */
  call(...words: [name: string, ...args: Value[]]): unknown {
    if (words.length === 0) throw new TypeError('call: a command has at least a name')
    this.instance.putAll(CALL, words)
    return this.instance.run(this, BY_NAME, words.length)
  }

  /**
   * Runs any command like `call`, and returns its reply as a socket would carry it, in RESP3: there a status differs from a
   * text, and a refusal is a reply like others. It is empty for a command that is not answered yet.
   */
  send(...words: [name: string | Uint8Array, ...args: Value[]]): Uint8Array {
    if (words.length === 0) throw new TypeError('send: a command has at least a name')
    this.instance.putAll(SEND, words)
    return this.instance.send(this, words.length)
  }

  /**
   * Calls `listener` with everything that comes while no command of this connection runs: messages of all kinds, and answers
   * that took their time. They are RESP3 as a socket would carry it.
   */
  on(kind: 'push', listener: PushListener): this
  /**
   * Calls `listener` with the keys whose values, as this connection read them, are not true any more; with null when that may be
   * any. `client_tracking` turns this on.
   */
  on(kind: 'invalidate', listener: (keys: Bytes[] | null) => void): this
  /**
   * Calls `listener` for every message of a kind: `message` with channel and message, `pmessage` with pattern, channel and
   * message, `subscribe` … It is called after the call of a method that caused the message has returned.
   */
  on(kind: string, listener: Listener<Bytes>): this
  on(kind: string, listener: Listener<never>): this {
    const listeners = this.#listeners.get(kind) ?? new Set()
    this.#listeners.set(kind, listeners.add(listener))
    return this
  }

  /** Calls `listener` no more. */
  off(kind: 'push', listener: PushListener): this
  /** Calls `listener` no more. */
  off(kind: 'invalidate', listener: (keys: Bytes[] | null) => void): this
  /** Calls `listener` no more. */
  off(kind: string, listener: Listener<Bytes>): this
  off(kind: string, listener: Listener<never>): this {
    const listeners = this.#listeners.get(kind)
    if (listeners?.delete(listener) && listeners.size === 0) this.#listeners.delete(kind)
    return this
  }

  /** Collects commands that run as one: no other connection sees anything between them. */
  multi(): Batch<Bytes, [], null> {
    return new Collector(this, true) as unknown as Batch<Bytes, [], null>
  }

  /** Collects commands that run one after the other. */
  pipeline(): Batch<Bytes> {
    return new Collector(this, false) as unknown as Batch<Bytes>
  }

  /** Listens to channels from now on, for as long as what it returns is iterated. */
  subscribe(...channels: Some<Value>): Subscription<Message<Bytes>>
  subscribe(channels: Names<Value>, options: SubscribeOptions): Subscription<Message<Bytes>>
  subscribe(...args: unknown[]): Subscription<Message<Bytes>> {
    return subscription(this, 'subscribe', args)
  }

  /** Listens to all channels that fit a pattern. */
  psubscribe(...patterns: Some<Value>): Subscription<PatternMessage<Bytes>>
  psubscribe(patterns: Names<Value>, options: SubscribeOptions): Subscription<PatternMessage<Bytes>>
  psubscribe(...args: unknown[]): Subscription<PatternMessage<Bytes>> {
    return subscription(this, 'psubscribe', args)
  }

  /** Listens to sharded channels, which SPUBLISH publishes to. */
  ssubscribe(...channels: Some<Value>): Subscription<Message<Bytes>>
  ssubscribe(channels: Names<Value>, options: SubscribeOptions): Subscription<Message<Bytes>>
  ssubscribe(...args: unknown[]): Subscription<Message<Bytes>> {
    return subscription(this, 'ssubscribe', args)
  }

  /** Has the next transaction fail when one of these keys changes before. */
  watch(...keys: Some<Value>): 'OK'
  /**
   * Calls `callback` with every key of this connection's database that fits a pattern and has changed, until the returned
   * function is called, and with what happened to it. A key without special characters is a pattern too. Keyspace events are
   * turned on for that.
   */
  watch(pattern: string, callback: WatchCallback, options?: WatchOptions): () => void
  watch(...args: unknown[]): 'OK' | (() => void) {
    const [pattern, callback, options] = args
    if (typeof callback !== 'function') return (WATCH ??= general(commandOf('watch'), METHODS[commandOf('watch')]!)).apply(this, args as never[]) as 'OK'
    if (typeof pattern !== 'string') throw mismatch('watch', 'pattern', 'a string', pattern)
    return this.#live(pattern, callback as WatchCallback, options as WatchOptions | undefined)
  }

  #live(pattern: string, callback: WatchCallback, { signal }: WatchOptions = {}): () => void {
    signal?.throwIfAborted()
    const { instance } = this
    const command = commandOf('psubscribe')
    const channels = channelsOf(databaseOf(text(this.call('CLIENT', 'INFO'))), pattern)
    const hear = ({ values }: Push) => {
      const event = eventOf(values)
      if (event) queueMicrotask(() => callback(...event))
    }
    const leave = instance.listen(this, METHODS[command]!, command, [channels], hear, () => {})
    const flags = flagsWith(text(Object.values(this.call('CONFIG', 'GET', 'notify-keyspace-events') as object)[0]))
    if (flags !== undefined) this.call('CONFIG', 'SET', 'notify-keyspace-events', flags)
    signal?.addEventListener('abort', leave)
    return leave
  }

  /** All keys, or those of a type. What comes or goes meanwhile may be among them or not, and some twice. */
  async *scanIterator(options: ScanOptions & { type?: Value } = {}): AsyncGenerator<Bytes, void, void> {
    yield* pages((cursor) => this.scan(cursor, options))
  }

  /** The fields of a hash with their values, as {@link scanIterator} has keys. */
  async *hscanIterator(key: Value, options: ScanOptions = {}): AsyncGenerator<[field: Bytes, value: Bytes], void, void> {
    yield* pairs(pages((cursor) => this.hscan(key, cursor, options)))
  }

  /** The members of a set, as {@link scanIterator} has keys. */
  async *sscanIterator(key: Value, options: ScanOptions = {}): AsyncGenerator<Bytes, void, void> {
    yield* pages((cursor) => this.sscan(key, cursor, options))
  }

  /** The members of a sorted set with their scores, as {@link scanIterator} has keys. */
  async *zscanIterator(key: Value, options: ScanOptions = {}): AsyncGenerator<[member: Bytes, score: number], void, void> {
    for (const [member, score] of pairs(pages((cursor) => this.zscan(key, cursor, options)))) yield [member, double(text(score))]
  }

  /** @internal */
  hear(read: (asBytes: boolean) => Push[], bytes?: Uint8Array) {
    if (this.#listeners.size === 0) return
    const pushes = read(this.asBytes)
    if (bytes) pushes.unshift(new Push(['push', bytes]))
    // Not at once: whoever published knows nothing of who listens, or of what they throw.
    queueMicrotask(() => {
      for (const { values: [kind, ...values] } of pushes) {
        const name = kind instanceof Uint8Array ? decoder.decode(kind) : String(kind)
        for (const listener of this.#listeners.get(name) ?? []) listener(...(values as never[]))
      }
    })
  }
}

interface Client<Bytes> extends Commands<Bytes> {}

/** A connection through which strings come back as the bytes they are. */
export class BytesConnection extends Client<Uint8Array> {}

/** A connection: with its own database, transaction and subscriptions. */
export class Connection extends Client<string> {
  /** The same connection with every method again; strings come back as bytes. */
  readonly bytes: BytesConnection

  /** @internal */
  constructor(instance: Instance) {
    const id = instance.connect()
    super(instance, id, false)
    this.bytes = new BytesConnection(instance, id, true)
    instance.owners.set(id, {
      received: (read, bytes) => {
        this.hear(read, bytes)
        this.bytes.hear(read, bytes)
      },
      ended: () => Connection.prototype.close.call(this),
    })
  }

  /** Another connection to the same store. */
  connect(): Connection {
    return new Connection(this.instance)
  }

  /** Ends this connection. */
  close() {
    const { instance, id } = this
    this.detach(Instance.ended('keyside: the connection is closed'))
    instance.disconnect(id)
  }

  [Symbol.dispose]() {
    this.close()
  }

  /** @internal */
  detach(instance: Instance) {
    this.instance = this.bytes.instance = instance
  }
}

/** A store of its own, and the first connection to it. */
export class Store extends Connection {
  readonly #instance: Instance
  readonly #keeper: Keeper | undefined

  /** @internal */
  constructor(instance: Instance, keeper?: Keeper) {
    super(instance)
    this.#instance = instance
    this.#keeper = keeper
  }

  /** @internal What stays when the first connection was ended. */
  get root(): Instance {
    return this.#instance
  }

  /** Another connection to the store. There can be one even if the first was ended, by QUIT or by CLIENT KILL. */
  override connect(): Connection {
    return new Connection(this.#instance)
  }

  /** All that is stored, as an RDB file: `open({ snapshot })` takes it, and redis-server does. */
  snapshot(): Uint8Array {
    return this.#instance.snapshot()
  }

  /** Where the store is kept, such as `idb://name`; undefined if it is in memory only. */
  get place(): string | undefined {
    return this.#keeper?.place
  }

  /** Resolves when all that has happened so far is safe where the store is kept; rejects when it cannot be. */
  persisted(): Promise<void> {
    return this.#keeper?.persisted() ?? Promise.reject(new Error('keyside: the store is kept nowhere; open it with persist'))
  }

  /** Ends the store with all its connections, and frees its memory. Resolves when what was to be kept is safe. */
  override close(): Promise<void> {
    const kept = this.#keeper?.close() ?? Promise.resolve()
    // Who does not wait hears of a failure as of all others.
    kept.catch(() => {})
    this.#instance.stop('keyside: the store is closed')
    return kept
  }

  async [Symbol.asyncDispose]() {
    await this.close()
  }
}

const CALL = new Signature('call')
const SEND = new Signature('send')
let WATCH: Method | undefined
const METHODS = SIGNATURES.trim().split('\n').map((line) => new Signature(line))

/** The commands of this package as a number, to be compared with those of the module: FNV-1a of the names. */
export function fingerprint(): number {
  let hash = 0x811c9dc5
  for (const { method } of METHODS) {
    for (let i = 0; i < method.length; i++) hash = Math.imul(hash ^ method.charCodeAt(i), 0x0100_0193)
    hash = Math.imul(hash ^ 0x0a, 0x0100_0193)
  }
  return hash >>> 0
}

/** The number of a method's command. */
function commandOf(name: string): number {
  return METHODS.findIndex(({ method }) => method === name)
}

/** A subscription by the method's arguments, of which the last may be options. */
function subscription<Item>(client: Caller & { instance: Instance }, name: string, args: unknown[]): Subscription<Item> {
  const command = commandOf(name)
  const signature = METHODS[command]!
  const { signal } = optionsOf(args.at(-1))
  const channels = args.length > 1 && isOptions(args.at(-1)) ? args.slice(0, -1) : args
  return new Subscription(client.instance, client, command, signature, signature.words(channels), signal as AbortSignal | undefined)
}

/** What all pages of a scan hold. */
function* pages<Bytes>(page: (cursor: string) => [cursor: string, items: Bytes[]]): Generator<Bytes, void, void> {
  let cursor = '0'
  do {
    const [next, items] = page(cursor)
    cursor = text(next)
    yield* items
  } while (cursor !== '0')
}

/** Each two of them. */
function* pairs<T>(items: Iterable<T>): Generator<[T, T], void, void> {
  let first: [T] | undefined
  for (const item of items) {
    if (first) yield [first[0], item]
    first = first ? undefined : [item]
  }
}

/** Text that may have come as bytes. */
function text(value: unknown): string {
  return value instanceof Uint8Array ? decoder.decode(value) : String(value)
}

type Method = (this: Client<unknown>, ...args: never[]) => unknown

/** A method for commands with any arguments. */
function general(command: number, signature: Signature): Method {
  return function (...args: unknown[]) {
    const words = signature.words(args)
    this.instance.putAll(signature, words)
    return this.instance.run(this, command, words.length)
  }
}

/** A method for commands that may wait: it promises the reply, unless it has an option `block` that is not given. */
function waiting(command: number, signature: Signature): Method {
  const atOnce = general(command, signature) as (this: Client<unknown>, ...args: unknown[]) => unknown
  const isByOption = signature.options?.has('block')
  return function (...args: unknown[]) {
    const { signal, ...options } = optionsOf(args.at(-1))
    if (signal !== undefined) args.splice(-1, 1, ...(Object.keys(options).length ? [options] : []))
    if (isByOption && options.block === undefined) return atOnce.apply(this, args)
    try {
      return this.instance.wait(this, signature, command, signature.words(args), signal as AbortSignal | undefined)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

/** The last argument, if it can be one of options. */
function optionsOf(argument: unknown): Record<string, unknown> {
  return isOptions(argument) ? argument : {}
}

function isOptions(argument: unknown): argument is Record<string, unknown> {
  return typeof argument === 'object' && argument !== null && !Array.isArray(argument) && !ArrayBuffer.isView(argument)
}

/** Methods for commands of one, two and three words, the ones called most: nothing is gathered on the way. */
const PLAIN: ((command: number, signature: Signature) => Method)[] = [
  (command) =>
    function () {
      return this.instance.run(this, command, 0)
    },
  (command, signature) =>
    function (first: Value) {
      const { instance } = this
      instance.put(signature, 0, first, 0)
      return instance.run(this, command, 1)
    },
  (command, signature) =>
    function (first: Value, second: Value) {
      const { instance } = this
      instance.put(signature, 1, second, instance.put(signature, 0, first, 0))
      return instance.run(this, command, 2)
    },
  (command, signature) =>
    function (first: Value, second: Value, third: Value) {
      const { instance } = this
      instance.put(signature, 2, third, instance.put(signature, 1, second, instance.put(signature, 0, first, 0)))
      return instance.run(this, command, 3)
    },
]

/** A method for commands of two words and options, of which mostly one is given: SET. */
function withOptions(command: number, signature: Signature): Method {
  const plain = PLAIN[2]!(command, signature) as (this: Client<unknown>, ...args: unknown[]) => unknown
  const any = general(command, signature) as typeof plain
  const options = signature.options!
  return function (first: Value, second: Value, given?: Record<string, unknown>) {
    if (given === undefined) return plain.call(this, first, second)
    let count = 0
    let name = ''
    for (const key in given) {
      name = key
      count++
    }
    const value = count === 1 && typeof given === 'object' ? given[name] : undefined
    if (!Number.isFinite(value) || options.get(name) !== '=') return any.call(this, first, second, given)
    const { instance } = this
    const at = instance.put(signature, 2, name, instance.put(signature, 1, second, instance.put(signature, 0, first, 0)))
    instance.put(signature, 3, value as number, at)
    return instance.run(this, command, 4)
  }
}

/** GET and SET, the two called most, as methods with a short way through the module. */
const QUICK: Record<string, (command: number, signature: Signature) => Method> = {
  get: (command, signature) =>
    function (key: Value) {
      const { instance } = this
      instance.put(signature, 0, key, 0)
      return instance.get(this, command)
    },
  set(command, signature) {
    const ordinary = withOptions(command, signature) as (this: Client<unknown>, ...args: unknown[]) => unknown
    return function (key: Value, value: Value, options?: Record<string, unknown>) {
      const lifetime = options === undefined ? 0 : lifetimeOf(options)
      if (lifetime < 0) return ordinary.call(this, key, value, options)
      const { instance } = this
      instance.put(signature, 1, value, instance.put(signature, 0, key, 0))
      return instance.set(this, lifetime) ? 'OK' : ordinary.call(this, key, value, options)
    }
  },
}

/** The milliseconds of options that say nothing but `ex` or `px`; -1 if they say anything else. */
function lifetimeOf(options: Record<string, unknown>): number {
  let lifetime = -1
  for (const name in options) {
    const value = options[name]
    // Twice the same, or whatever is to be refused, is not for here.
    if (lifetime !== -1 || typeof value !== 'number' || !(value > 0 && value <= LONGEST_LIFE && Number.isInteger(value))) return -1
    if (name === 'ex') lifetime = value * 1000
    else if (name === 'px') lifetime = value
    else return -1
  }
  return lifetime
}

/** In seconds, some thousand years. */
const LONGEST_LIFE = 2 ** 36

function method(command: number, signature: Signature): Method {
  const { isPlain, names, options } = signature
  const quick = QUICK[signature.method]
  if (quick) return quick(command, signature)
  if (signature.waits) return waiting(command, signature)
  if (isPlain && !options) return (PLAIN[names.length] ?? general)(command, signature)
  if (isPlain && names.length === 2) return withOptions(command, signature)
  return general(command, signature)
}

METHODS.forEach((signature, command) => {
  // Some are written by hand.
  if (Object.hasOwn(Client.prototype, signature.method)) return
  Object.defineProperty(Client.prototype, signature.method, { value: method(command, signature), writable: true, configurable: true })
})
collect(METHODS)
