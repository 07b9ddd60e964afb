/** A store that is elsewhere, behind a port: every method promises what it returns when the store is here. */
import { BatchError } from './batch.js'
import { SIGNATURES, type Commands } from './commands.js'
import { Link, type Stream } from './link.js'
import { ReplyError, double } from './reply.js'
import type { Pipe } from './serve.js'
import { Signature } from './signature.js'
import { channelsOf, eventOf, flagsWith, type WatchCallback, type WatchOptions } from './watching.js'
import type { Message, PatternMessage, SubscribeOptions } from './subscription.js'
import { A_VALUE, isValue, mismatch, type Names, type Some, type Value } from './values.js'

/** Commands as methods that promise. */
export type RemoteCommands<Bytes> = {
  [Name in Exclude<keyof Commands<Bytes>, Apart>]: Commands<Bytes>[Name] extends (...args: infer Args) => infer Reply ? (...args: Args) => Promise<Awaited<Reply>> : never
}

/** What is asked in other ways, or not at all. */
type Apart = 'subscribe' | 'psubscribe' | 'ssubscribe' | 'unsubscribe' | 'punsubscribe' | 'sunsubscribe' | 'monitor' | 'reset' | 'hello' | 'quit' | 'client_reply' | 'multi' | 'watch'

/** Commands that are collected and sent together. */
export type RemoteBatch<Bytes, Results extends unknown[] = [], Nothing = never> = {
  [Name in Exclude<keyof Commands<Bytes>, Apart | 'exec' | 'discard' | 'watch' | 'unwatch'>]: Commands<Bytes>[Name] extends (...args: infer Args) => infer Reply
    ? (...args: Args) => RemoteBatch<Bytes, [...Results, Awaited<Reply>], Nothing>
    : never
} & {
  /** Adds any command: its name and its arguments, word by word. */
  call(...words: [name: string, ...args: Value[]]): RemoteBatch<Bytes, [...Results, unknown], Nothing>
  /** Runs what was collected; throws a `BatchError` when commands were refused, as batches of a store that is here do. */
  exec(): Promise<Results | Nothing>
}

const METHODS = SIGNATURES.trim().split('\n').map((line) => new Signature(line))
const BLOCK = 'block'

/** A connection, seen through strings or through bytes. */
class RemoteClient<Bytes> {
  /** @internal */
  readonly stream: Stream
  /** @internal */
  readonly link: Link
  /** @internal */
  readonly asBytes: boolean

  /** @internal */
  constructor(link: Link, stream: Stream, asBytes: boolean) {
    this.link = link
    this.stream = stream
    this.asBytes = asBytes
  }

  /** Runs any command: its name and its arguments, word by word. */
  async call(...words: [name: string, ...args: Value[]]): Promise<unknown> {
    if (words.length === 0) throw new TypeError('call: a command has at least a name')
    return this.stream.request(checked('call', words), this.asBytes)
  }

  /** Collects commands that run as one: no other connection sees anything between them. */
  multi(): RemoteBatch<Bytes, [], null> {
    return new Collector(this.stream, this.asBytes, true) as unknown as RemoteBatch<Bytes, [], null>
  }

  /** Collects commands that run one after the other. */
  pipeline(): RemoteBatch<Bytes> {
    return new Collector(this.stream, this.asBytes, false) as unknown as RemoteBatch<Bytes>
  }

  /** Listens to channels from now on, for as long as what it returns is iterated. */
  subscribe(...channels: Some<Value>): AsyncIterableIterator<Message<Bytes>>
  subscribe(channels: Names<Value>, options: SubscribeOptions): AsyncIterableIterator<Message<Bytes>>
  subscribe(...args: unknown[]): AsyncIterableIterator<Message<Bytes>> {
    return listen(this.link, 'SUBSCRIBE', args, this.asBytes, ([channel, message]) => ({ channel, message }) as Message<Bytes>)
  }

  /** Listens to all channels that fit a pattern. */
  psubscribe(...patterns: Some<Value>): AsyncIterableIterator<PatternMessage<Bytes>>
  psubscribe(patterns: Names<Value>, options: SubscribeOptions): AsyncIterableIterator<PatternMessage<Bytes>>
  psubscribe(...args: unknown[]): AsyncIterableIterator<PatternMessage<Bytes>> {
    return listen(this.link, 'PSUBSCRIBE', args, this.asBytes, ([pattern, channel, message]) => ({ pattern, channel, message }) as PatternMessage<Bytes>)
  }

  /** Has the next transaction fail when one of these keys changes before. */
  watch(...keys: Some<Value>): Promise<'OK'>
  /** Calls `callback` as the method of a store that is here does; the promise is that of a function that ends it. */
  watch(pattern: string, callback: WatchCallback, options?: WatchOptions): Promise<() => void>
  async watch(...args: unknown[]): Promise<unknown> {
    const [pattern, callback, { signal } = {}] = args as [string, WatchCallback, WatchOptions?]
    if (typeof callback !== 'function') return this.stream.request(['WATCH', ...checked('watch', args.flat())], this.asBytes)
    if (typeof pattern !== 'string') throw mismatch('watch', 'pattern', 'a string', pattern)
    signal?.throwIfAborted()
    const current = (await this.stream.request(['CONFIG', 'GET', 'notify-keyspace-events'], false)) as Record<string, string>
    const flags = Object.values(current)[0]!
    const stream = this.link.open((values) => {
      const event = eventOf(values)
      if (event) callback(...event)
    })
    const leave = () => stream.close()
    signal?.addEventListener('abort', leave)
    if (signal?.aborted) leave()
    const database = String(this.stream.database?.[1] ?? 0)
    stream.greet('PSUBSCRIBE', ['PSUBSCRIBE', channelsOf(database, pattern)])
    // Another worker may have the store later, and has to be told too.
    stream.greet('CONFIG', ['CONFIG', 'SET', 'notify-keyspace-events', flagsWith(flags) ?? flags])
    // When this is answered, all that follows is heard.
    await stream.request(['PING'], false)
    return leave
  }

  /** All keys, or those of a type. What comes or goes meanwhile may be among them or not, and some twice. */
  async *scanIterator(options: { match?: Value; count?: number; type?: Value } = {}): AsyncGenerator<Bytes, void, void> {
    yield* this.#pages('scan', [], options)
  }

  /** The fields of a hash with their values. */
  async *hscanIterator(key: Value, options: { match?: Value; count?: number } = {}): AsyncGenerator<[field: Bytes, value: Bytes], void, void> {
    yield* pairs(this.#pages('hscan', [key], options))
  }

  /** The members of a set. */
  async *sscanIterator(key: Value, options: { match?: Value; count?: number } = {}): AsyncGenerator<Bytes, void, void> {
    yield* this.#pages('sscan', [key], options)
  }

  /** The members of a sorted set with their scores. */
  async *zscanIterator(key: Value, options: { match?: Value; count?: number } = {}): AsyncGenerator<[member: Bytes, score: number], void, void> {
    for await (const [member, score] of pairs(this.#pages('zscan', [key], options))) yield [member, double(text(score))]
  }

  async *#pages(method: string, key: Value[], options: object): AsyncGenerator<Bytes, void, void> {
    let cursor = '0'
    do {
      const scan = (this as unknown as Record<string, (...args: unknown[]) => Promise<[Bytes, Bytes[]]>>)[method]!
      const [next, items] = await scan.call(this, ...key, cursor, options)
      cursor = text(next)
      yield* items
    } while (cursor !== '0')
  }
}

interface RemoteClient<Bytes> extends RemoteCommands<Bytes> {}

/** A connection to a store that is elsewhere. */
export class RemoteConnection extends RemoteClient<string> {
  /** The same connection with every method again; strings come back as bytes. */
  readonly bytes: RemoteClient<Uint8Array>

  /** @internal */
  constructor(link: Link) {
    const stream = link.open()
    super(link, stream, false)
    this.bytes = new RemoteClient<Uint8Array>(link, stream, true)
  }

  /** Another connection to the same store. */
  connect(): RemoteConnection {
    return new RemoteConnection(this.link)
  }

  /** Ends this connection. */
  async close(): Promise<void> {
    this.stream.close()
  }

  async [Symbol.asyncDispose]() {
    await this.close()
  }
}

/** A store that is elsewhere, and the first connection to it. */
export class RemoteStore extends RemoteConnection {
  readonly #ending: () => Promise<void>

  /** @internal */
  constructor(link: Link, ending: () => Promise<void>) {
    super(link)
    this.#ending = ending
  }

  /** Where the store is kept, such as `idb://name`; undefined if it is in memory only. */
  place(): Promise<string | undefined> {
    return this.link.ask('place') as Promise<string | undefined>
  }

  /** Resolves when all that this connection was answered so far is safe where the store is kept. */
  persisted(): Promise<void> {
    return this.link.ask('persisted') as Promise<void>
  }

  /** All that is stored, as an RDB file. */
  snapshot(): Promise<Uint8Array> {
    return this.link.ask('snapshot') as Promise<Uint8Array>
  }

  /** Ends all connections; a store that nobody else has ends too. */
  override async close(): Promise<void> {
    try {
      await this.#ending()
    } finally {
      this.link.end(new Error('keyside: the store is closed'))
    }
  }
}

/** A store that {@link serve} serves on the other side of a port. */
export async function connect(port: Pipe): Promise<RemoteStore> {
  const link = new Link()
  link.attach(port)
  return introduce(new RemoteStore(link, async () => {}))
}

/** Learns which commands only read. */
export async function introduce(store: RemoteStore): Promise<RemoteStore> {
  const names = (await store.stream.request(['COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'read'], false)) as string[]
  for (const name of names) store.link.reads.add(name.toUpperCase())
  return store
}

class Collector {
  readonly #stream: Stream
  readonly #asBytes: boolean
  readonly #isTransaction: boolean
  #requests: Value[][] = []

  constructor(stream: Stream, asBytes: boolean, isTransaction: boolean) {
    this.#stream = stream
    this.#asBytes = asBytes
    this.#isTransaction = isTransaction
  }

  add(words: Value[]): this {
    this.#requests.push(words)
    return this
  }

  call(...words: Value[]): this {
    return this.add(checked('call', words))
  }

  async exec(): Promise<unknown[] | null> {
    const requests = this.#requests.splice(0)
    const replies = this.#isTransaction ? await this.#transaction(requests) : await Promise.all(requests.map((words) => this.#ask(words)))
    const refused = replies?.find((reply) => reply instanceof ReplyError)
    if (refused) throw new BatchError(refused as ReplyError, replies!)
    return replies
  }

  async #transaction(requests: Value[][]): Promise<unknown[] | null> {
    const words = [['MULTI'], ...requests, ['EXEC']] as Value[][]
    const replies = await Promise.all(words.map((words) => this.#ask(words)))
    const end = replies.at(-1)
    // EXEC says only that something was wrong; what it was stands before.
    if (end instanceof ReplyError) throw replies.find((reply) => reply instanceof ReplyError) as ReplyError
    return end as unknown[] | null
  }

  /** The reply, or the refusal as one. */
  #ask(words: Value[]): Promise<unknown> {
    return this.#stream.request(words, this.#asBytes).catch((error) => {
      if (error instanceof ReplyError) return error
      throw error
    })
  }
}

/** Messages on a stream of its own. */
function listen<Item>(link: Link, command: string, args: unknown[], asBytes: boolean, read: (values: unknown[]) => Item): AsyncIterableIterator<Item> {
  const last = args.at(-1)
  const options = args.length > 1 && typeof last === 'object' && last !== null && !Array.isArray(last) && !(last instanceof Uint8Array) ? (args.pop() as SubscribeOptions) : {}
  const items: Item[] = []
  let wake = () => {}
  let end: Error | undefined
  const kind = command === 'SUBSCRIBE' ? 'message' : 'pmessage'
  const stream = link.open(([name, ...values]) => {
    if (text(name) !== kind) return
    items.push(read(values))
    wake()
  })
  stream.asBytes = asBytes
  stream.ended = (error) => {
    end ??= error
    wake()
  }
  const words = checked(command.toLowerCase(), args.flat())
  stream.greet(command, [command, ...words])
  const { signal } = options
  const abort = () => {
    end = signal!.reason as Error
    stream.close()
  }
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort)
  const messages = (async function* () {
    try {
      for (;;) {
        while (items.length > 0) yield items.shift()!
        if (end) {
          if (signal?.aborted) throw end
          return
        }
        await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      stream.close()
    }
  })()
  return messages
}

/** The words of a command by the name of its method: `acl_cat` is ACL CAT, `bitfield_ro` is BITFIELD_RO. */
export function nameOf(method: string): string[] {
  const [first, ...rest] = method.split('_')
  if (rest.length > 0 && GROUPS.has(first!)) return [first!.toUpperCase(), rest.join('-').toUpperCase()]
  return [method === 'restore_asking' ? 'RESTORE-ASKING' : method.toUpperCase()]
}

const GROUPS = new Set(METHODS.filter(({ method }) => method.endsWith('_help')).map(({ method }) => method.slice(0, -'_help'.length)))

for (const signature of METHODS) {
  const name = nameOf(signature.method)
  const { method, waits } = signature
  if (!(method in RemoteClient.prototype)) {
    const isByOption = signature.options?.has(BLOCK)
    Object.defineProperty(RemoteClient.prototype, method, {
      async value(this: RemoteClient<unknown>, ...args: unknown[]) {
        if (!waits) return this.stream.request([...name, ...signature.words(args)], this.asBytes)
        const { signal, ...options } = optionsOf(args.at(-1)) as { signal?: AbortSignal; block?: unknown }
        if (signal !== undefined) args.splice(-1, 1, ...(Object.keys(options).length > 0 ? [options] : []))
        const words = [...name, ...signature.words(args)]
        if (isByOption && options.block === undefined) return this.stream.request(words, this.asBytes)
        return wait(this, words, signal)
      },
      writable: true,
      configurable: true,
    })
  }
  if (method in Collector.prototype) continue
  Object.defineProperty(Collector.prototype, method, {
    value(this: Collector, ...args: unknown[]) {
      return this.add([...name, ...signature.words(args)])
    },
    writable: true,
    configurable: true,
  })
}

/** Asks on a stream of its own, so that nothing has to wait behind. */
async function wait(client: RemoteClient<unknown>, words: Value[], signal?: AbortSignal): Promise<unknown> {
  signal?.throwIfAborted()
  const stream = client.link.open()
  const database = client.stream.database
  if (database) void stream.request(database, false).catch(() => {})
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal!.reason)
      stream.close()
    }
    signal?.addEventListener('abort', abort)
    stream.request(words, client.asBytes).then(resolve, reject).finally(() => {
      signal?.removeEventListener('abort', abort)
      stream.close()
    })
  })
}

function optionsOf(argument: unknown): Record<string, unknown> {
  return typeof argument === 'object' && argument !== null && !Array.isArray(argument) && !ArrayBuffer.isView(argument) ? (argument as Record<string, unknown>) : {}
}

function checked(method: string, words: readonly unknown[]): Value[] {
  return words.map((word, i) => {
    if (isValue(word)) return word
    throw mismatch(method, `argument ${i + 1}`, A_VALUE, word)
  })
}

async function* pairs<T>(items: AsyncIterable<T>): AsyncGenerator<[T, T], void, void> {
  let first: [T] | undefined
  for await (const item of items) {
    if (first) yield [first[0], item]
    first = first ? undefined : [item]
  }
}

function text(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)
}
