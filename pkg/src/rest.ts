/**
 * What can be asked of a store over HTTP, as Upstash defines it: single commands, pipelines, transactions and subscriptions,
 * each complete in itself. It knows nothing of HTTP: words come in, replies in RESP2's shapes go out.
 */
import { replyOrRefusal, ReplyError } from './reply.js'
import type { Connection, Store } from './store.js'
import type { Value } from './values.js'

/** The words of a command. */
export type Words = readonly [name: string, ...args: Value[]]

/** What is heard on a subscription, line by line. */
export type Hear = (line: string) => void

/** Who asks: everything, or only what changes nothing. */
export interface Rights {
  isReadOnly: boolean
}

/** Needs a connection that outlives the request, or would have it wait. */
const UNAVAILABLE = new Set(
  `ASKING AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER DISCARD EXEC HELLO MIGRATE MONITOR
  MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY READWRITE REPLCONF REPLICAOF RESET SELECT SHUTDOWN SLAVEOF SSUBSCRIBE
  SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WAIT WAITAOF WATCH`.split(/\s+/),
)

/** Reads of all there is, which Upstash keeps from readers. */
const NOT_FOR_READERS = new Set(['KEYS', 'SCAN'])

/** Neither read nor write. */
const FOR_READERS = new Set(['ECHO', 'PING', 'TIME'])

export class Rest {
  readonly #store: Store
  readonly #reads = new Map<string, boolean>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Runs a command. Texts of its reply are bytes; statuses are strings. */
  command(words: Words, rights: Rights): unknown {
    return this.#connected((connection) => this.#run(connection, words, rights))
  }

  /** Runs a command; its reply is RESP2 as a socket would carry it. */
  raw(words: Words, rights: Rights): Uint8Array {
    return this.#connected((connection) => {
      this.#permit(connection, words, rights)
      return connection.send(...words)
    })
  }

  /** Runs commands one after the other. A refusal is one of the replies. */
  pipeline(commands: readonly Words[], rights: Rights): unknown[] {
    return this.#connected((connection) => commands.map((words) => replyOrRefusal(() => this.#run(connection, words, rights))))
  }

  /** Runs commands as one. It throws if they are refused as a whole, for what the first of them was refused. */
  transaction(commands: readonly Words[], rights: Rights): unknown[] {
    return this.#connected((connection) => {
      connection.call('MULTI')
      for (const words of commands) this.#run(connection, words, rights)
      return connection.bytes.call('EXEC') as unknown[]
    })
  }

  /** Listens to a channel or to the channels of a pattern, until the function that is returned is called. */
  subscribe(kind: 'subscribe' | 'psubscribe', name: string, hear: Hear): () => void {
    const connection = this.#store.connect()
    for (const event of [kind, kind === 'subscribe' ? 'message' : 'pmessage']) {
      connection.on(event, (...values: unknown[]) => hear([event, ...values].join(',')))
    }
    connection.call(kind, name)
    return () => connection.close()
  }

  /** Listens to every command that runs. */
  monitor(hear: Hear): () => void {
    const connection = this.#store.connect()
    connection.on('monitor', (line: unknown) => hear(String(line)))
    hear(JSON.stringify(connection.call('MONITOR')))
    return () => connection.close()
  }

  /** A request has a connection of its own, so that it leaves nothing behind. */
  #connected<T>(work: (connection: Connection) => T): T {
    const connection = this.#store.connect()
    try {
      connection.call('HELLO', '2')
      return work(connection)
    } finally {
      connection.close()
    }
  }

  #run(connection: Connection, words: Words, rights: Rights): unknown {
    this.#permit(connection, words, rights)
    return connection.bytes.call(...words)
  }

  #permit(connection: Connection, words: Words, rights: Rights) {
    const name = String(words[0]).toUpperCase()
    if (UNAVAILABLE.has(name) || waits(name, words)) throw new ReplyError(`ERR Command is not available over REST: '${name}'`)
    if (rights.isReadOnly && (NOT_FOR_READERS.has(name) || !this.#isRead(connection, words))) {
      throw new ReplyError(`NOPERM this user has no permissions to run the '${name.toLowerCase()}' command`)
    }
  }

  #isRead(connection: Connection, [first, second]: Words): boolean {
    const name = String(first).toUpperCase()
    if (FOR_READERS.has(name)) return true
    const names = second === undefined ? [name] : [`${name}|${String(second)}`, name]
    return names.some((name) => {
      const known = this.#reads.get(name)
      if (known !== undefined) return known
      const isRead = this.#flagsOf(connection, name).includes('readonly')
      if (this.#reads.size < 1000) this.#reads.set(name, isRead)
      return isRead
    })
  }

  #flagsOf(connection: Connection, name: string): unknown[] {
    // What is asked in a transaction would be queued.
    const other = connection.connect()
    try {
      const [info] = other.call('COMMAND', 'INFO', name) as [unknown[] | null]
      return (info?.[2] as unknown[]) ?? []
    } finally {
      other.close()
    }
  }
}

/** Whether a command that need not wait is to wait. */
function waits(name: string, words: Words): boolean {
  if (name !== 'XREAD' && name !== 'XREADGROUP') return false
  const upper = words.map((word) => String(word).toUpperCase())
  const streams = upper.indexOf('STREAMS')
  return upper.slice(0, streams < 0 ? undefined : streams).includes('BLOCK')
}
