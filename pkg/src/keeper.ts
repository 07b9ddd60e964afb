/** From what `persist` says to a store that is kept: which place it is, and what to do when it is not to be had here. */
import type { Instance } from './instance.js'
import type { Places } from './open.js'
import { Persistence } from './persistence.js'
import { TakenError, UnavailableError, type PersistEvent, type Storage } from './storage.js'

/** What a store needs of who keeps it. */
export interface Keeper {
  /** Where it is kept; nowhere, if what was asked for is not to be had. */
  readonly place: string | undefined
  /** Whether something was kept there before. */
  readonly isFound: boolean
  /** Begins to keep what happens. */
  start(): Promise<void>
  /** Resolves when all that has happened so far is safe. */
  persisted(): Promise<void>
  /** Takes what there is to be kept, at once; resolves when it is safe. */
  close(): Promise<void>
}

/** What is tried next when a place is not to be had. */
const NEXT: Record<string, string> = { opfs: 'idb' }

/** Storages that are in use. */
const used = new WeakSet<Storage>()

/** Fills a store with what is kept, and gets ready to keep it. */
export async function keep(instance: Instance, persist: string | URL | Storage, tell: (event: PersistEvent) => void = report, places: Places): Promise<Keeper> {
  if (typeof persist === 'object' && !(persist instanceof URL)) return load(instance, persist, tell)
  let [scheme, name] = parse(persist instanceof URL ? decodeURI(persist.href) : persist, places)
  for (;;) {
    try {
      return await load(instance, await places[scheme]!(name), tell)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      const next = NEXT[scheme]
      tell({ kind: 'downgrade', from: `${scheme}://${name}`, to: next ? `${next}://${name}` : 'memory', reason: error.message })
      if (!next) return new Nowhere(error.message)
      scheme = next
    }
  }
}

async function load(instance: Instance, storage: Storage, tell: (event: PersistEvent) => void): Promise<Keeper> {
  if (used.has(storage)) throw new TakenError(storage.place, 'close that one first')
  used.add(storage)
  const persistence = new Persistence(instance, storage, tell, () => used.delete(storage))
  const isFound = await persistence.load()
  return {
    place: storage.place,
    isFound,
    start: () => persistence.start(isFound),
    persisted: () => persistence.persisted(),
    close: () => persistence.close(),
  }
}

/** Memory, in the place of a place that is not to be had. */
class Nowhere implements Keeper {
  readonly place = undefined
  readonly isFound = false
  readonly #reason: string

  constructor(reason: string) {
    this.#reason = reason
  }

  async start() {}

  async persisted(): Promise<void> {
    throw new UnavailableError(`keyside: the store is kept nowhere: ${this.#reason}`)
  }

  async close() {}
}

/** What stands before `://` and after it. */
function parse(persist: string, places: Places): [scheme: string, name: string] {
  const match = /^([a-z]+):\/\/(.+)$/s.exec(persist)
  if (match && Object.hasOwn(places, match[1]!)) return [match[1]!, match[2]!]
  const known = Object.keys(places).map((scheme) => `${scheme}://…`)
  throw new TypeError(`open: persist must be ${[...known, 'a Storage'].join(' or ')} here, not ${JSON.stringify(persist)}`)
}

/** For those who did not ask to be told. */
function report(event: PersistEvent) {
  switch (event.kind) {
    case 'downgrade':
      return console.warn(`keyside: ${event.from} is not to be had (${event.reason}); the store is kept in ${event.to}`)
    case 'error':
      return console.error(event.error.message, Number.isFinite(event.retryMs) ? `It is tried again in ${event.retryMs / 1000} s.` : '')
    case 'recovered':
      return console.warn('keyside: everything is kept again')
    case 'cut':
      return console.warn(`keyside: ${event.place} ended within a change, of which ${event.bytes} bytes were cut off`)
    case 'lost':
      return console.error(`keyside: ${event.place} was taken over by another store`)
  }
}
