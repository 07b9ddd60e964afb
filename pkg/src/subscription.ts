/**
 * Messages as something to be iterated. Each subscription is a client of its own beside the connection that asked for it, so
 * it begins and ends with its loop, and what one loop does not hear any more another still does.
 */
import type { Caller, Instance } from './instance.js'
import { decoder, type Push } from './reply.js'
import type { Signature } from './signature.js'
import type { Value } from './values.js'

/** What a channel brings. */
export interface Message<Bytes> {
  channel: Bytes
  message: Bytes
}

/** What a channel brings that fits a pattern. */
export interface PatternMessage<Bytes> extends Message<Bytes> {
  pattern: Bytes
}

/** What may be said of a subscription. */
export interface SubscribeOptions {
  /** Ends it: who waits for a message is refused with the signal's reason. */
  signal?: AbortSignal
}

/** A message that is not fetched counts so many bytes beside its own. */
const OVERHEAD = 64
/** Who leaves more than this many bytes of messages unfetched is not subscribed any more: Redis's limit. */
const UNFETCHED = 32 << 20

/**
 * Messages from now on. They are kept until they are fetched, up to 32 MiB; the subscription ends with the loop over it, with
 * its connection, or with its signal.
 */
export class Subscription<Item> implements AsyncIterableIterator<Item> {
  #unfetched: { item: Item; size: number }[] = []
  #size = 0
  readonly #fetching: { resolve(result: IteratorResult<Item>): void; reject(error: unknown): void }[] = []
  #isOver = false
  #failure: { error: unknown } | undefined
  readonly #leave: () => void = () => {}

  /** @internal */
  constructor(instance: Instance, caller: Caller, command: number, signature: Signature, words: readonly Value[], signal?: AbortSignal) {
    signal?.throwIfAborted()
    const abort = () => this.#end({ error: signal!.reason })
    const leave = instance.listen(caller, signature, command, words, (push) => this.#hear(push), (error) => this.#end(error && { error }))
    signal?.addEventListener('abort', abort)
    this.#leave = () => {
      signal?.removeEventListener('abort', abort)
      leave()
    }
  }

  /** The next message. */
  next(): Promise<IteratorResult<Item>> {
    const first = this.#unfetched.shift()
    if (first) {
      this.#size -= first.size
      return Promise.resolve({ value: first.item, done: false })
    }
    if (this.#failure) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error)
    }
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => this.#fetching.push({ resolve, reject }))
  }

  /** Ends the subscription; messages that nobody has fetched are gone. */
  return(): Promise<IteratorResult<Item>> {
    this.#unfetched = []
    this.#end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose]() {
    await this.return()
  }

  #hear({ values }: Push) {
    const item = read(values) as Item | undefined
    if (item === undefined || this.#isOver) return
    const waiting = this.#fetching.shift()
    if (waiting) return waiting.resolve({ value: item, done: false })
    const size = values.reduce<number>((sum, value) => sum + (value as string | Uint8Array).length, OVERHEAD)
    this.#unfetched.push({ item, size })
    this.#size += size
    if (this.#size > UNFETCHED) {
      this.#unfetched = []
      this.#end({ error: new Error('keyside: the subscriber left more than 32 MiB of messages unfetched') })
    }
  }

  #end(failure?: { error: unknown }) {
    if (this.#isOver) return
    this.#isOver = true
    this.#leave()
    const [first, ...others] = this.#fetching.splice(0)
    if (failure && first) first.reject(failure.error)
    else {
      this.#failure = failure
      first?.resolve({ value: undefined, done: true })
    }
    for (const { resolve } of others) resolve({ value: undefined, done: true })
  }
}

/** The message in what came, if it is one and not the answer to having subscribed. */
function read([kind, ...values]: unknown[]): object | undefined {
  switch (kind instanceof Uint8Array ? decoder.decode(kind) : kind) {
    case 'message':
    case 'smessage':
      return { channel: values[0], message: values[1] }
    case 'pmessage':
      return { pattern: values[0], channel: values[1], message: values[2] }
  }
}
