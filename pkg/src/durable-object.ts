/**
 * The storage of a Durable Object as a place: `open({ persist: durableObjectStorage(ctx.storage) })`. An object is one instance
 * of its id, so nobody else can write there. Cloudflare keeps what a request has written before the request is answered.
 */
import type { Storage } from './storage.js'

/** What is needed of `ctx.storage`. */
export interface DurableObjectStorage {
  list<T>(options: { prefix?: string; start?: string; startAfter?: string; end?: string; limit?: number }): Promise<Map<string, T>>
  put<T>(entries: Record<string, T>): Promise<void>
  delete(keys: string[]): Promise<number>
  sync(): Promise<void>
}

/** The longest piece: objects that are not on SQLite take 128 KiB, key included. */
const PIECE = 96 << 10

/** So many keys a call takes. */
const KEYS = 128

/** So many pieces are read at a time. */
const PIECES = 32

/** The storage of an object, of which names that begin with `prefix` are used. */
export function durableObjectStorage(storage: DurableObjectStorage, prefix = 'keyside/'): Storage {
  return new ObjectStorage(storage, prefix)
}

class ObjectStorage implements Storage {
  readonly place = 'the Durable Object'
  readonly #storage: DurableObjectStorage
  readonly #prefix: string
  readonly #ends = new Map<string, number>()

  constructor(storage: DurableObjectStorage, prefix: string) {
    this.#storage = storage
    this.#prefix = prefix
  }

  async list() {
    const names = new Set<string>()
    for await (const keys of this.#pages(this.#prefix)) for (const key of keys.keys()) names.add(key.slice(this.#prefix.length, key.lastIndexOf('/')))
    return [...names]
  }

  async *read(name: string) {
    for await (const pieces of this.#pages(this.#key(name))) yield* [...pieces.values()].filter(({ length }) => length > 0)
  }

  async append(name: string, at: number, bytes: Uint8Array) {
    if (this.#ends.get(name) !== at) await this.#cut(name, at)
    this.#ends.delete(name)
    const entries: [string, Uint8Array][] = []
    for (let done = 0; done < bytes.length; done += PIECE) entries.push([this.#key(name, at + done), bytes.slice(done, done + PIECE)])
    if (bytes.length === 0 && at === 0) entries.push([this.#key(name, 0), bytes])
    // Calls in one turn are one transaction.
    await Promise.all(slices(entries).map((some) => this.#storage.put(Object.fromEntries(some))))
    this.#ends.set(name, at + bytes.length)
  }

  async sync() {
    await this.#storage.sync()
  }

  async replace(name: string, bytes: Uint8Array) {
    await this.#storage.put({ [this.#key(name, 0)]: bytes.slice() })
    await this.#storage.sync()
  }

  async remove(name: string) {
    this.#ends.delete(name)
    const keys: string[] = []
    for await (const pieces of this.#pages(this.#key(name))) keys.push(...pieces.keys())
    await Promise.all(slices(keys).map((some) => this.#storage.delete(some)))
  }

  /** Removes what is under a name from `at` on, also of a piece that begins before. */
  async #cut(name: string, at: number) {
    for await (const pieces of this.#pages(this.#key(name))) {
      for (const [key, piece] of pieces) {
        const start = Number(key.slice(key.lastIndexOf('/') + 1))
        if (start >= at) await this.#storage.delete([key])
        else if (start + piece.length > at) await this.#storage.put({ [key]: piece.slice(0, at - start) })
      }
    }
  }

  async *#pages(prefix: string) {
    let startAfter: string | undefined
    for (;;) {
      const page = await this.#storage.list<Uint8Array>({ prefix, limit: PIECES, ...(startAfter === undefined ? {} : { startAfter }) })
      if (page.size === 0) return
      yield page
      startAfter = [...page.keys()].at(-1)
    }
  }

  #key(name: string, at?: number): string {
    return `${this.#prefix}${name}/${at === undefined ? '' : String(at).padStart(15, '0')}`
  }
}

function slices<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / KEYS) }, (_, i) => all.slice(i * KEYS, (i + 1) * KEYS))
}
