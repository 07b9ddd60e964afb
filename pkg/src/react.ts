/**
 * Values of a store as React's state: a component renders again when what it shows has changed, and not otherwise. It works with
 * a store in the same thread, whose values are there at once, and with one in a worker or of all tabs, whose values are
 * `undefined` until they came.
 */
import { useMemo, useSyncExternalStore } from 'react'

import type { RemoteConnection } from './remote.js'
import type { Connection } from './store.js'
import { patternOf, type WatchCallback, type WatchOptions } from './watching.js'

/** A store, or a connection to one. */
export type Source = Connection | RemoteConnection

/** What part of a sorted set is shown. */
export interface RangeOptions {
  /** The rank of the first member; 0 if not given. */
  start?: number
  /** The rank of the last member; the last of all if not given. */
  stop?: number
  /** The highest score first. */
  rev?: boolean
}

/** The text of a key; null if there is none. */
export function useKey(db: Connection, key: string): string | null
export function useKey(db: Source, key: string): string | null | undefined
export function useKey(db: Source, key: string): string | null | undefined {
  return useLive(db, key, 'get', (db) => db.get(key))
}

/** The fields of a hash with their values; without fields if there is none. */
export function useHash(db: Connection, key: string): Readonly<Record<string, string>>
export function useHash(db: Source, key: string): Readonly<Record<string, string>> | undefined
export function useHash(db: Source, key: string): Readonly<Record<string, string>> | undefined {
  return useLive(db, key, 'hgetall', (db) => db.hgetall(key))
}

/** The members of a sorted set with their scores, in order. */
export function useSortedSet(db: Connection, key: string, options?: RangeOptions): readonly (readonly [member: string, score: number])[]
export function useSortedSet(db: Source, key: string, options?: RangeOptions): readonly (readonly [member: string, score: number])[] | undefined
export function useSortedSet(db: Source, key: string, { start = 0, stop = -1, rev = false }: RangeOptions = {}) {
  return useLive(db, key, `zrange ${start} ${stop} ${rev}`, (db) => db.zrange(key, start, stop, { withscores: true, rev }))
}

/** What is the same in both kinds of stores. */
type Reads = Pick<Connection, 'get' | 'hgetall' | 'zrange'>

function useLive<T>(db: Source, key: string, kind: string, read: (db: Reads) => unknown): T {
  // The kind says all of how it is read.
  const live = useMemo(() => new Live<T>(db, key, () => read(db as unknown as Reads)), [db, key, kind])
  return useSyncExternalStore(live.subscribe, live.value, live.value)
}

/** A value that is read again when its key has changed, and is another one only if it differs. */
class Live<T> {
  readonly #db: Source
  readonly #key: string
  readonly #read: () => unknown
  readonly #listeners = new Set<() => void>()
  #outcome: { value: T } | { error: unknown } | undefined
  #shown = ''
  #isDue = false
  #reads = 0

  constructor(db: Source, key: string, read: () => unknown) {
    this.#db = db
    this.#key = key
    this.#read = read
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    const stop = new AbortController()
    const watch = (this.#db as { watch(pattern: string, callback: WatchCallback, options: WatchOptions): unknown }).watch(patternOf(this.#key), () => this.#changed(), { signal: stop.signal })
    // It may have changed since it was shown, or while it was not yet watched.
    this.#changed()
    void Promise.resolve(watch).then(() => this.#changed(), () => {})
    return () => {
      stop.abort()
      this.#listeners.delete(listener)
    }
  }

  readonly value = (): T => {
    if (this.#outcome === undefined) this.#look()
    const outcome = this.#outcome
    if (outcome && 'error' in outcome) throw outcome.error
    return outcome?.value as T
  }

  #changed() {
    if (this.#isDue) return
    this.#isDue = true
    // Several changes in a row are read once.
    queueMicrotask(() => {
      this.#isDue = false
      this.#look()
    })
  }

  #look() {
    const number = ++this.#reads
    try {
      const value = this.#read()
      if (!(value instanceof Promise)) return this.#show(value as T)
      value.then(
        (value) => {
          if (number === this.#reads) this.#show(value as T)
        },
        (error) => this.#fail(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  #show(value: T) {
    const shown = JSON.stringify(value)
    if (this.#outcome && 'value' in this.#outcome && shown === this.#shown) return
    this.#shown = shown
    this.#outcome = { value }
    for (const listener of this.#listeners) listener()
  }

  #fail(error: unknown) {
    this.#outcome = { error }
    for (const listener of this.#listeners) listener()
  }
}
