/**
 * An instance of the module: the memory that requests are written into and replies are read from, the clock, and the timer.
 * It knows numbers of clients and commands, and nothing of methods.
 *
 * A call crosses the boundary once, with nothing but numbers. The words of the request lie in `scratch`, where each starts
 * and ends in `bounds`; both are views of the module's memory, and are empty when that has grown or the store has ended, so
 * one comparison of lengths covers everything that can be the matter.
 */
import { Signature } from './signature.js'
import { Push, Reader, ReplyError, decoder } from './reply.js'
import { A_VALUE, WHOLE_TEXT, digits, isWhole, mismatch, type Value } from './values.js'

/** What the module exports; src/js/mod.rs says what each does. */
export interface Exports {
  memory: WebAssembly.Memory
  open(seedLow: number, seedHigh: number): void
  fingerprint(): number
  connect(now: number): number
  connect_stream(now: number): number
  connect_beside(client: number, now: number): number
  disconnect(client: number): void
  reserve(bytes: number, words: number): void
  bytes_at(): number
  bytes_len(): number
  bounds_at(): number
  bounds_len(): number
  call(client: number, command: number, words: number, now: number): number
  receive(client: number, length: number, now: number): number
  snapshot(now: number): number
  load(length: number, now: number): number
  quick_get(client: number, now: number): number
  quick_set(client: number, lifetime: number, now: number): number
  keep_journal(isOn: boolean): void
  journal_len(): number
  take_journal(): number
  journal_kept(position: number, size: number, baseSize: number): number
  begin_rewrite(): void
  rewrite_step(): number
  rewrite_ended(isKept: boolean, now: number): void
  whole_base(): void
  load_part(length: number, now: number): number
  end_part(): number
  tick(now: number): void
  next_deadline(): number
  reply_at(): number
  reply_len(): number
  next_ready(now: number): number
  is_closing(client: number): number
  last_words_at(): number
  last_words_len(): number
}

/** Who a request comes from, and how strings are to come back. */
export interface Caller {
  readonly id: number
  readonly asBytes: boolean
}

/** Who is told what happens to a client without its asking. */
export interface Owner {
  /** Messages came; each call of `read` reads them anew. `bytes` are there unless they came within a reply. */
  received(read: (asBytes: boolean) => Push[], bytes?: Uint8Array): void
  /** The connection is over. */
  ended(): void
  /** The store is over. */
  stopped?(): void
}

/** Who keeps what happens. */
export interface Log {
  /** The journal has bytes. */
  stir(): void
  /** The store is over. */
  stopped(): void
}

/** The number of a command whose name is the first word. */
export const BY_NAME = 0xffff_ffff

/** The answer to a request that cannot be quick. */
const DECLINED = -4

/** Up to so many characters, a loop is faster than a call of the encoder. */
const SHORT = 24

/** A view that spares making one: of the scratch memory, from every 256th byte on. */
const SLOT = 256
const SLOTS = 64

/** Texts up to this many bytes have a view each that spares making one. */
const VIEWED = 1024

/** So many bytes of a snapshot are taken at a time. */
const LOADED = 1 << 20

/** The longest word, in bytes: proto-max-bulk-len. */
const LONGEST = 512 << 20

/** The longest that a timer can wait. */
const LONGEST_WAIT = 0x7fff_ffff

const NO_BYTES = new Uint8Array(0)
const NO_BOUNDS = new Uint32Array(0)
const encoder = new TextEncoder()

/** What a client is told with that has addresses. */
const STREAM = new Signature('connect')

export class Instance {
  readonly owners = new Map<number, Owner>()
  /** Requests that wait for replies or messages, each on a client of its own: who asked, and how to give up. */
  private readonly waits = new Map<number, { caller: number; fail(error: Error): void }>()
  /** Milliseconds since 1970. */
  readonly now: () => number
  exports: Exports
  /** Who is told that the journal has bytes. */
  log: Log | undefined
  private scratch = NO_BYTES
  private bounds = NO_BOUNDS
  private memory = NO_BYTES
  private replyAt = 0
  private slots: (Uint8Array | undefined)[] = []
  private texts: (Uint8Array | undefined)[] = []
  /** When the store has to be told that time passes, and the timer that does. */
  private deadline = Infinity
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Why nothing works any more. */
  private end: string | undefined

  private constructor(exports: Exports, now: () => number) {
    this.exports = exports
    this.now = now
  }

  /** Starts the module, of which each instance is a store of its own. */
  static async start(module: WebAssembly.Module, now: () => number): Promise<Instance> {
    const { exports } = await WebAssembly.instantiate(module, imports(module))
    const instance = new Instance(exports as unknown as Exports, now)
    const [low, high] = crypto.getRandomValues(new Uint32Array(2))
    instance.exports.open(low!, high!)
    instance.look()
    return instance
  }

  /** What stands in the place of an instance for those who may not use it any more. */
  static ended(why: string): Instance {
    const instance = new Instance({} as Exports, Date.now)
    instance.stop(why)
    return instance
  }

  /** Which commands the module has, as a number. */
  fingerprint(): number {
    return this.exports.fingerprint() >>> 0
  }

  /** Adds a client; returns its number. */
  connect(): number {
    this.check()
    const client = this.exports.connect(this.now())
    this.look()
    return client
  }

  /** Adds a client whose requests come as bytes; returns its number. */
  connectStream(remote: string, local: string): number {
    this.putAll(STREAM, [remote, local])
    const client = this.exports.connect_stream(this.now())
    this.look()
    return client
  }

  /** Forgets a client. */
  disconnect(client: number) {
    this.owners.delete(client)
    this.exports.disconnect(client)
    for (const { caller, fail } of this.waits.values()) if (caller === client) fail(new Error('keyside: the connection is closed'))
  }

  /** Ends the store. Its memory is free with the last that refers to it. */
  stop(why: string) {
    this.end ??= why
    clearTimeout(this.timer)
    this.exports = { call: () => 0, quick_get: () => 0, quick_set: () => 0, disconnect() {} } as unknown as Exports
    this.scratch = this.memory = NO_BYTES
    this.bounds = NO_BOUNDS
    this.slots = []
    this.texts = []
    this.log?.stopped()
    const owners = [...this.owners.values()]
    this.owners.clear()
    for (const owner of owners) owner.stopped?.()
    for (const { fail } of this.waits.values()) fail(new Error(this.end))
  }

  /** Writes word `i` of a request at `at`; returns where the next one can be written. */
  put(signature: Signature, i: number, word: Value, at: number): number {
    if (typeof word !== 'string') return this.putOther(signature, i, word, at)
    const length = word.length
    const { scratch, bounds } = this
    if (length > SHORT || at + length >= scratch.length) return this.putLong(signature, i, word, at)
    let end = at
    for (let j = 0; j < length; j++) {
      const code = word.charCodeAt(j)
      if (code > 0x7f) return this.putLong(signature, i, word, at)
      scratch[end++] = code
    }
    bounds[2 * i] = at
    bounds[2 * i + 1] = end
    return end
  }

  /** Writes all words of a request. */
  putAll(signature: Signature, words: readonly Value[]) {
    this.check()
    if (2 * words.length > this.bounds.length) this.reserve(0, words.length)
    let at = 0
    for (let i = 0; i < words.length; i++) at = this.put(signature, i, words[i]!, at)
  }

  /** Runs the request that was written, and returns its reply. */
  run(caller: Caller, command: number, words: number): unknown {
    const status = this.execute(caller, command, words)
    if ((status & 1) !== 0 || this.memory.length === 0) return this.finish(caller, status, (length) => this.reply(caller, length))
    const { memory, replyAt } = this
    // The replies of most commands, read without a reader.
    switch (memory[replyAt]) {
      case 0x24: {
        let at = replyAt + 1
        let length = 0
        for (let byte; (byte = memory[at++]!) !== 13; ) length = length * 10 + byte - 48
        if (at + length + 3 - replyAt !== status >>> 1) break
        return caller.asBytes ? memory.slice(at + 1, at + 1 + length) : this.text(at + 1, length)
      }
      case 0x2b:
        if (status === 10 && memory[replyAt + 1] === 0x4f && memory[replyAt + 2] === 0x4b) return 'OK'
        break
      case 0x3a: {
        // Up to nine digits; the status counts the sign and the end of the line too.
        if (status > 24 || memory[replyAt + 1] === 0x2d) break
        let n = 0
        for (let at = replyAt + 1, byte; (byte = memory[at++]!) !== 13; ) n = n * 10 + byte - 48
        return n
      }
      case 0x5f:
        if (status === 6) return null
    }
    return this.reply(caller, status >>> 1)
  }

  /** Runs GET of the word that was written, by its number if there is more to it than that. */
  get(caller: Caller, command: number): unknown {
    const now = this.time()
    let status: number
    try {
      status = this.exports.quick_get(caller.id, now)
    } catch (error) {
      throw this.fail(error)
    }
    if (status === DECLINED) return this.run(caller, command, 1)
    if ((status & 1) !== 0 || this.memory.length === 0) return this.finish(caller, status, () => this.value(caller, status))
    return this.value(caller, status)
  }

  /** Runs SET of the two words that were written, for so many milliseconds if not 0; false if there is more to it than that. */
  set(caller: Caller, lifetime: number): boolean {
    const now = this.time()
    let status: number
    try {
      status = this.exports.quick_set(caller.id, lifetime, now)
    } catch (error) {
      throw this.fail(error)
    }
    if ((status & 1) !== 0 || this.memory.length === 0) this.finish(caller, status, () => {})
    return status !== DECLINED
  }

  /** Runs the request that was written, which begins with a name, and returns its reply as it is. */
  send(caller: Caller, words: number): Uint8Array {
    return this.finish(caller, this.execute(caller, BY_NAME, words), (length) => {
      const bytes = this.memory.slice(this.replyAt, this.replyAt + length)
      this.owners.get(caller.id)?.received((asBytes) => readPushes(bytes, asBytes))
      return bytes
    })
  }

  /** Takes bytes that a client sent, cut anywhere. What is to be sent back is handed over before other clients' messages. */
  receive(client: number, bytes: Uint8Array, reply: (bytes: Uint8Array) => void) {
    this.check()
    this.fill(bytes, 0)
    const now = this.time()
    let status: number
    try {
      status = this.exports.receive(client, bytes.length, now)
    } catch (error) {
      throw this.fail(error)
    }
    this.finish({ id: client, asBytes: true }, status, (length) => {
      if (length > 0) reply(this.memory.slice(this.replyAt, this.replyAt + length))
    })
  }

  /** All that is stored, as an RDB file. */
  snapshot(): Uint8Array {
    this.check()
    if (!this.guarded(() => this.exports.snapshot(this.now()))) throw new Error('keyside: a snapshot is being made already')
    return this.outcome()
  }

  /** Takes an RDB file into a store that is empty. */
  load(file: Uint8Array) {
    const take = (length: number) => this.exports.load(length, this.now())
    const refusal = this.feed(file, take) ?? this.feedPiece(NO_BYTES, take)
    if (refusal !== undefined) throw new Error(`keyside: the snapshot cannot be read: ${refusal}`)
  }

  /** Has the module take bytes, piece by piece; returns why it does not. */
  feed(bytes: Uint8Array, take: (length: number) => number): string | undefined {
    this.check()
    for (let at = 0; at < bytes.length; at += LOADED) {
      const refusal = this.feedPiece(bytes.subarray(at, at + LOADED), take)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  private feedPiece(piece: Uint8Array, take: (length: number) => number): string | undefined {
    this.fill(piece, 0)
    if (!this.guarded(() => take(piece.length))) return decoder.decode(this.outcome())
    this.look()
    return undefined
  }

  /** What a call that answers no client left. */
  outcome(): Uint8Array {
    this.look()
    const bytes = this.memory.slice(this.replyAt, this.replyAt + this.exports.reply_len())
    this.deliver()
    return bytes
  }

  guarded<T>(call: () => T): T {
    try {
      return call()
    } catch (error) {
      throw this.fail(error)
    }
  }

  /**
   * Runs a request that may wait, on a client of its own: the caller's has no reason to stop for it. Its end is the reply, the
   * end of the caller, or that of the `signal`, and then nothing is taken for it any more.
   */
  wait(caller: Caller, signature: Signature, command: number, words: readonly Value[], signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      this.check()
      const client = this.exports.connect_beside(caller.id, this.now())
      // In a transaction it is queued like any other.
      if (client < 0) {
        this.putAll(signature, words)
        return resolve(this.run(caller, command, words.length))
      }
      let isOver = false
      const end = (settle: () => void) => {
        if (isOver) return
        isOver = true
        signal?.removeEventListener('abort', abort)
        this.waits.delete(client)
        this.disconnect(client)
        settle()
      }
      const fail = (error: unknown) => end(() => reject(error))
      const abort = () => fail(signal!.reason)
      this.owners.set(client, {
        received: (_, bytes) => {
          const reply = bytes && new Reader(bytes, caller.asBytes).next()
          if (reply instanceof ReplyError) fail(reply)
          else end(() => resolve(reply))
        },
        ended: () => fail(new Error('keyside: the connection is closed')),
      })
      this.waits.set(client, { caller: caller.id, fail })
      signal?.addEventListener('abort', abort)
      try {
        this.putAll(signature, words)
        const reply = this.run({ id: client, asBytes: caller.asBytes }, command, words.length)
        if (reply !== undefined) end(() => resolve(reply))
      } catch (error) {
        fail(error)
      }
    })
  }

  /**
   * Runs a request that has messages come, for `hear`, on a client of its own. That ends when the returned function is called, or
   * with the caller's, and then `ended` is told so: with an error if it was not the caller who ended.
   */
  listen(caller: Caller, signature: Signature, command: number, words: readonly Value[], hear: (push: Push) => void, ended: (error?: Error) => void): () => void {
    this.check()
    const client = this.exports.connect_beside(caller.id, this.now())
    if (client < 0) throw new Error('keyside: nobody subscribes in a transaction')
    const leave = () => {
      if (!this.waits.delete(client)) return
      this.disconnect(client)
    }
    this.owners.set(client, {
      received: (read) => read(caller.asBytes).forEach(hear),
      ended: () => ended(new Error('keyside: the connection is closed')),
    })
    this.waits.set(client, { caller: caller.id, fail: () => ended() })
    try {
      this.putAll(signature, words)
      this.run({ id: client, asBytes: caller.asBytes }, command, words.length)
    } catch (error) {
      leave()
      throw error
    }
    return leave
  }

  private execute(caller: Caller, command: number, words: number): number {
    const now = this.time()
    try {
      return this.exports.call(caller.id, command, words, now)
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** What time it is for the next call; what was due before has happened then. */
  private time(): number {
    const now = this.now()
    if (now >= this.deadline) this.tick(now)
    return now
  }

  /** Makes what the module has changed known: where things lie, and when it wants to be called. */
  private look() {
    const { exports } = this
    const { buffer } = exports.memory
    this.memory = new Uint8Array(buffer)
    this.scratch = new Uint8Array(buffer, exports.bytes_at(), exports.bytes_len())
    this.bounds = new Uint32Array(buffer, exports.bounds_at(), 2 * exports.bounds_len())
    this.slots = []
    this.texts = []
    this.replyAt = exports.reply_at()
    const deadline = exports.next_deadline()
    if (deadline !== this.deadline) this.arm(deadline)
  }

  /** Throws if the store has ended. */
  check() {
    if (this.end !== undefined) throw new Error(this.end)
  }

  private reserve(bytes: number, words: number) {
    this.check()
    try {
      this.exports.reserve(bytes, words)
    } catch (error) {
      throw this.fail(error)
    }
    this.look()
  }

  private putLong(signature: Signature, i: number, word: string, at: number): number {
    this.check()
    if (!isWhole(word)) throw mismatch(signature.method, signature.names[i] ?? `argument ${i + 1}`, WHOLE_TEXT, word)
    if (at >= SLOT) at = (at + SLOT - 1) & -SLOT
    else if (at > 0) at = SLOT
    // Characters need up to three bytes each, but hardly ever do.
    let room = at + word.length + 1
    if (room > LONGEST) throw tooLong(signature, i, word.length)
    let [read, end] = [0, at]
    for (;;) {
      if (room > this.scratch.length) this.reserve(room, 0)
      const result = encoder.encodeInto(read === 0 ? word : word.slice(read), this.from(end))
      read += result.read
      end += result.written
      if (read === word.length) break
      room = end + 3 * (word.length - read) + 1
    }
    return this.bound(i, at, end)
  }

  /** The scratch memory from `at` on. */
  private from(at: number): Uint8Array {
    const slot = at / SLOT
    if (slot < SLOTS && Number.isInteger(slot)) return (this.slots[slot] ??= this.scratch.subarray(at))
    return this.scratch.subarray(at)
  }

  private putOther(signature: Signature, i: number, word: Value, at: number): number {
    if ((typeof word === 'number' && word === word) || typeof word === 'bigint') return this.put(signature, i, digits(word), at)
    if (!(word instanceof Uint8Array)) throw mismatch(signature.method, signature.names[i] ?? `argument ${i + 1}`, A_VALUE, word)
    this.check()
    if (word.length > LONGEST) throw tooLong(signature, i, word.length)
    this.fill(word, at)
    return this.bound(i, at, at + word.length)
  }

  /** Lays bytes into the scratch memory, which is made again when it has become empty: also for no bytes at all. */
  private fill(bytes: Uint8Array, at: number) {
    if (at + bytes.length >= this.scratch.length) this.reserve(at + bytes.length + 1, 0)
    this.scratch.set(bytes, at)
  }

  private bound(i: number, start: number, end: number): number {
    this.bounds[2 * i] = start
    this.bounds[2 * i + 1] = end
    return end
  }

  /** The reply to a quick request: a text as it is, or none. */
  private value(caller: Caller, status: number): unknown {
    if (status < 0) return null
    const length = status >> 1
    return caller.asBytes ? this.memory.slice(this.replyAt, this.replyAt + length) : this.text(this.replyAt, length)
  }

  private text(at: number, length: number): string {
    if (length === 0) return ''
    if (length > VIEWED) return decoder.decode(this.memory.subarray(at, at + length))
    const text = this.texts[length]
    if (text !== undefined && text.byteOffset === at) return decoder.decode(text)
    return decoder.decode((this.texts[length] = this.memory.subarray(at, at + length)))
  }

  /** Returns the reply of a call after which more than that is new. */
  private finish<T>(caller: Caller, status: number, read: (length: number) => T): T {
    this.check()
    this.look()
    try {
      return read(this.exports.reply_len())
    } finally {
      if ((status & 1) !== 0) {
        this.heed()
        this.deliver()
        if (this.exports.is_closing(caller.id)) this.owners.get(caller.id)?.ended()
      }
    }
  }

  private reply(caller: Caller, length: number): unknown {
    const bytes = this.memory.subarray(this.replyAt, this.replyAt + length)
    const reader = new Reader(bytes, caller.asBytes)
    let reply: unknown
    let push: Push | undefined
    while (!reader.isAtEnd) {
      const value = reader.next()
      if (value instanceof Push) push = value
      else reply = value
    }
    if (push) {
      const copy = bytes.slice()
      this.owners.get(caller.id)?.received((asBytes) => readPushes(copy, asBytes))
    }
    if (reply instanceof ReplyError) throw reply
    // Who subscribes is answered by messages, which end with the number of subscriptions.
    return reply === undefined ? push?.values.at(-1) : reply
  }

  /** Has the journal kept. */
  private heed() {
    if (this.log !== undefined && this.exports.journal_len() > 0) this.log.stir()
  }

  /** Hands out the messages that clients have because of another client's command, or of time. */
  private deliver() {
    const { exports } = this
    for (let client; (client = exports.next_ready(this.now())) >= 0; ) {
      const length = exports.reply_len()
      this.replyAt = exports.reply_at()
      const copy = this.memory.slice(this.replyAt, this.replyAt + length)
      const owner = this.owners.get(client)
      if (length > 0) owner?.received((asBytes) => readPushes(copy, asBytes, 'monitor'), copy)
      if (exports.is_closing(client)) owner?.ended()
    }
    this.replyAt = exports.reply_at()
  }

  private tick(now: number) {
    try {
      this.exports.tick(now)
    } catch (error) {
      throw this.fail(error)
    }
    this.look()
    this.heed()
    this.deliver()
  }

  /** Has the timer go off at `deadline`. It keeps no process alive. */
  private arm(deadline: number) {
    clearTimeout(this.timer)
    this.deadline = deadline
    this.timer = undefined
    if (deadline === Infinity) return
    const wait = Math.min(Math.max(deadline - this.now(), 0), LONGEST_WAIT)
    const timer: unknown = (this.timer = setTimeout(() => {
      const now = this.now()
      if (now >= this.deadline) this.tick(now)
      else this.arm(this.deadline)
    }, wait))
    if (typeof timer === 'object') (timer as { unref(): void }).unref()
  }

  /** The error for a failure of the module, whose memory cannot be trusted from then on. */
  private fail(cause: unknown): Error {
    if (this.end === undefined) {
      let words = ''
      try {
        const at = this.exports.last_words_at()
        words = decoder.decode(new Uint8Array(this.exports.memory.buffer, at, this.exports.last_words_len()))
      } catch {
        // Then the cause says what there is to say.
      }
      this.stop(`keyside: the store failed and cannot be used any more (${words || cause})`)
    }
    return new Error(this.end, { cause })
  }
}

/** What Redis refuses as well, before it takes the memory. */
function tooLong(signature: Signature, i: number, length: number): RangeError {
  return new RangeError(`${signature.method}: ${signature.names[i] ?? `argument ${i + 1}`} has ${length} characters or bytes; no value can be longer than 512 MiB, so part it over several keys`)
}

/** The messages among replies. What is none is one too where `otherwise` says of which kind: MONITOR sends plain text. */
function readPushes(bytes: Uint8Array, asBytes: boolean, otherwise?: string): Push[] {
  const reader = new Reader(bytes, asBytes)
  const pushes: Push[] = []
  while (!reader.isAtEnd) {
    const value = reader.next()
    if (value instanceof Push) pushes.push(value)
    else if (otherwise) pushes.push(new Push([otherwise, value]))
  }
  return pushes
}

/** What the module wants of its host: a clock for durations, and nothing for the rest of the glue, which has no objects to care for. */
function imports(module: WebAssembly.Module): WebAssembly.Imports {
  const imports: Record<string, Record<string, () => number | void>> = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const group = (imports[from] ??= {})
    group[name] = name.includes('now') ? () => performance.now() : () => {}
  }
  return imports
}
