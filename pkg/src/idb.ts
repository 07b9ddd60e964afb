/**
 * IndexedDB as a place: `idb://name`. It works in pages and workers of all kinds. Bytes lie in pieces under their name and
 * where they begin, and a call is one transaction, which happens wholly or not at all.
 */
import { LostError, UnavailableError, type Storage } from './storage.js'
import { WebLock } from './web-lock.js'

/** The longest piece. */
const PIECE = 1 << 20

/** So many pieces are read at a time. */
const PIECES = 8

const PARTS = 'parts'

/** Under this key lies who may write: whoever is woken after another has taken over finds that out here. */
const OWNER = ['', 0]

type Key = [name: string, at: number]

/** How a database is used. */
export interface IdbOptions {
  /** Takes it from a store that does not answer any more. */
  steal?: boolean
}

/** A database of the origin, which is made if it is not there. */
export function idbStorage(name: string, options: IdbOptions = {}): Storage {
  return new IdbStorage(name, options)
}

class IdbStorage implements Storage {
  readonly place: string
  readonly #name: string
  readonly #lock: WebLock
  readonly #steals: boolean
  readonly #owner = crypto.randomUUID()
  #database: IDBDatabase | undefined
  /** Where the bytes under a name end, if nothing can have gone wrong with them. */
  #ends = new Map<string, number>()
  #isOver = false

  constructor(name: string, { steal = false }: IdbOptions) {
    this.place = `idb://${name}`
    this.#name = `keyside:${name}`
    this.#lock = new WebLock(this.place)
    this.#steals = steal
  }

  async claim() {
    if (typeof indexedDB === 'undefined') throw new UnavailableError('there is no IndexedDB here')
    await this.#lock.take(this.#steals)
    try {
      this.#database = await this.#open()
      await this.#write((parts) => parts.put(this.#owner, OWNER), 'strict', false)
    } catch (error) {
      this.#lock.release()
      this.#database?.close()
      throw new UnavailableError(`IndexedDB cannot be used: ${(error as Error).message}`, { cause: error })
    }
  }

  async list() {
    const keys = (await this.#read((parts) => parts.getAllKeys())) as Key[]
    return [...new Set(keys.map(([name]) => name))].filter((name) => name !== '')
  }

  async *read(name: string) {
    let at = 0
    for (;;) {
      const pieces = (await this.#read((parts) => parts.getAll(from(name, at), PIECES))) as Uint8Array[]
      if (pieces.length === 0) return
      for (const piece of pieces) {
        if (piece.length > 0) yield piece
        at += Math.max(piece.length, 1)
      }
    }
  }

  async append(name: string, at: number, bytes: Uint8Array) {
    const isKnown = this.#ends.get(name) === at
    this.#ends.delete(name)
    await this.#write((parts) => {
      const put = () => {
        for (let done = 0; done === 0 || done < bytes.length; done += PIECE) {
          // Nothing but the piece is to be stored, not all of the memory that it may be a view of.
          if (bytes.length > 0 || at === 0) parts.put(bytes.slice(done, done + PIECE), [name, at + done])
        }
      }
      if (isKnown || at === 0) {
        if (!isKnown) parts.delete(from(name, at))
        return put()
      }
      cut(parts, name, at, put)
    })
    this.#ends.set(name, at + bytes.length)
  }

  /** A transaction that is flushed has all before it flushed. */
  async sync() {
    await this.#write((parts) => parts.put(this.#owner, OWNER), 'strict')
  }

  async replace(name: string, bytes: Uint8Array) {
    await this.#write((parts) => {
      parts.delete(from(name, 0))
      parts.put(bytes.slice(), [name, 0])
    }, 'strict')
  }

  async remove(name: string) {
    this.#ends.delete(name)
    await this.#write((parts) => parts.delete(from(name, 0)))
  }

  async release() {
    this.#isOver = true
    this.#database?.close()
    this.#lock.release()
  }

  #open(): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1)
      request.onupgradeneeded = () => request.result.createObjectStore(PARTS)
      request.onerror = () => reject(request.error)
      request.onsuccess = () => {
        const database = request.result
        // Somebody deletes it, or the browser has lost it: the next call opens it anew.
        const forget = () => {
          database.close()
          if (this.#database === database) this.#database = undefined
        }
        database.onversionchange = forget
        database.onclose = forget
        resolve(database)
      }
    })
  }

  async #read(ask: (parts: IDBObjectStore) => IDBRequest): Promise<unknown> {
    const transaction = await this.#transaction('readonly', 'default')
    return new Promise((resolve, reject) => {
      const request = ask(transaction.objectStore(PARTS))
      request.onsuccess = () => resolve(request.result)
      request.onerror = transaction.onabort = () => reject(request.error ?? transaction.error)
    })
  }

  async #write(work: (parts: IDBObjectStore) => void, durability: IDBTransactionDurability = 'relaxed', isChecked = true): Promise<void> {
    if (this.#lock.isLost) throw new LostError(this.place)
    const transaction = await this.#transaction('readwrite', durability)
    return new Promise((resolve, reject) => {
      const parts = transaction.objectStore(PARTS)
      let isLost = false
      transaction.oncomplete = () => resolve()
      transaction.onabort = transaction.onerror = () => reject(isLost ? new LostError(this.place) : (transaction.error ?? new Error('the transaction was aborted')))
      if (!isChecked) return work(parts)
      const owner = parts.get(OWNER)
      owner.onsuccess = () => {
        isLost = owner.result !== this.#owner
        if (isLost) transaction.abort()
        else work(parts)
      }
    })
  }

  async #transaction(mode: IDBTransactionMode, durability: IDBTransactionDurability): Promise<IDBTransaction> {
    const begin = async () => (this.#database ??= await this.#open()).transaction(PARTS, mode, { durability })
    if (this.#isOver) throw new Error(`${this.place} is closed`)
    try {
      return await begin()
    } catch {
      // The connection to the browser's database process can be lost. A new one works.
      this.#database?.close()
      this.#database = undefined
      this.#ends.clear()
      return begin()
    }
  }
}

/** The pieces of a name from `at` on. */
function from(name: string, at: number): IDBKeyRange {
  return IDBKeyRange.bound([name, at], [name, Infinity])
}

/** Removes what is under a name from `at` on, also of a piece that begins before. */
function cut(parts: IDBObjectStore, name: string, at: number, done: () => void) {
  parts.delete(from(name, at))
  const last = parts.openCursor(from(name, 0), 'prev')
  last.onsuccess = () => {
    const cursor = last.result
    if (cursor) {
      const [, start] = cursor.key as Key
      const piece = cursor.value as Uint8Array
      if (start + piece.length > at) cursor.update(piece.slice(0, at - start))
    }
    done()
  }
}
