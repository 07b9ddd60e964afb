/**
 * A store that is kept: its journal is appended to a log, and the log is written anew as a snapshot when it has grown. When
 * and in what order is decided here; the bytes are the engine's, and the place is a {@link Storage}.
 *
 * A crash at any step leaves a prefix of what was logged: a part is named by the manifest before it is appended to, and a
 * base is safe before the manifest names it.
 */
import type { Instance, Log } from './instance.js'
import { Journal } from './journal.js'
import { MANIFEST, Manifest, isPartName, partOf, type Part } from './manifest.js'
import { LostError, PersistError, type PersistEvent, type Storage } from './storage.js'

/** How often changes are made safe, unless that is always. */
const SECOND = 1000

/** So much of the journal is written without waiting for the second to be over. */
const EARLY = 1 << 20

/** The shortest and the longest time after which is tried again what failed. */
const RETRY = [1000, 30_000] as const

/** When more than this could not be written, a snapshot of everything is smaller, or at least bounded. */
const PENDING_MAX = 64 << 20

const NO_BYTES = new Uint8Array(0)
const encoder = new TextEncoder()

/** Somebody who waits until a position of the journal is safe. */
interface Barrier {
  position: number
  resolve(): void
  reject(error: Error): void
}

export class Persistence implements Log {
  readonly storage: Storage
  readonly #instance: Instance
  readonly #journal: Journal
  readonly #tell: (event: PersistEvent) => void
  readonly #released: () => void
  #manifest = new Manifest()
  /** Grows with every part, so that no name is used twice. */
  #sequence = 0
  /** The part that is appended to, and its bytes. */
  #part: Part | undefined
  #length = 0
  /** Bytes in all other parts, and in all after the last rewrite. */
  #rest = 0
  #baseSize = 0
  /** What was taken from the journal and is not written. */
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  /** Positions in the journal. */
  #taken = 0
  #written = 0
  #safe = 0
  /** The last part cannot be relied on any more: everything has to be written anew. */
  #isTorn = false
  #barriers: Barrier[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #syncedAt = 0
  #isBusy = false
  #isAgain = false
  #isOver = false
  #failures = 0
  /** 0 for every second, 1 for always, 2 for never: what the engine's configuration says. */
  #policy = 0
  #idle: (() => void)[] = []
  readonly #end = new AbortController()

  constructor(instance: Instance, storage: Storage, tell: (event: PersistEvent) => void, released: () => void) {
    this.#released = released
    this.#instance = instance
    this.#journal = new Journal(instance)
    this.storage = storage
    this.#tell = tell
  }

  /** Fills the store with what the place holds; whether it held anything. The place is this store's from then on. */
  async load(): Promise<boolean> {
    const { storage } = this
    try {
      await storage.claim?.()

      const names = await storage.list()
      if (!names.includes(MANIFEST)) return false
      this.#manifest = parse(storage.place, await collect(storage.read(MANIFEST)))
      const { parts, last } = this.#manifest
      for (const part of parts) await this.#loadPart(part, part === last)
      for (const name of names) if (isPartName(name) && !parts.some((part) => part.name === name)) await storage.remove(name)
      this.#sequence = Math.max(...parts.map(({ sequence }) => sequence))
      return true
    } catch (error) {
      await this.#release()
      throw error
    }
  }

  async #loadPart(part: Part, isLast: boolean) {
    let length = 0
    const damaged = (why: string) => new Error(`keyside: ${this.storage.place} is damaged: ${part.name}: ${why}. Nothing was changed; bring back a copy, or remove it to start anew`)
    try {
      for await (const bytes of this.storage.read(part.name)) {
        this.#journal.loadPart(bytes)
        length += bytes.length
      }
    } catch (error) {
      if (error instanceof SyntaxError) throw damaged(error.message)
      throw error
    }
    const whole = this.#journal.endPart()
    if (whole === 'base' || (length === 0 && part.isBase)) throw damaged(`it ends too early, at byte ${length}`)
    if (whole !== undefined) {
      if (!isLast) throw damaged(`it ends within a command, at byte ${length}`)
      await this.storage.append(part.name, whole, NO_BYTES)
      this.#tell({ kind: 'cut', place: this.storage.place, bytes: length - whole })
      length = whole
    }
    if (isLast) [this.#part, this.#length] = [part, length]
    else this.#rest += length
  }

  /** Begins to log. All that was stored before and is not in the log yet becomes its base. */
  async start(isFound: boolean) {
    this.#journal.keep(this)
    this.#baseSize = this.#rest
    try {
      if (!isFound || !this.#part) await this.#writeAnew()
      this.#report()
      this.#watchPage()
    } catch (error) {
      this.#journal.keep(undefined)
      await this.#release()
      throw error
    }
  }

  /** The journal has bytes. */
  stir() {
    if (this.#isOver) return
    const isMuch = this.#journal.length() >= EARLY
    if (this.#failures > 0) {
      if (isMuch) this.#bound()
    } else if (isMuch || this.#policy === 1) void this.#go()
    else this.#timer ??= setTimeout(() => this.#go(), Math.max(0, this.#syncedAt + SECOND - Date.now()))
  }

  /** The store has ended by itself. */
  stopped() {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#refuse(new PersistError('keyside: the store has ended'))
    void this.#whenIdle().then(() => this.#release())
  }

  /** Resolves when all that has happened so far is safe; rejects when that fails, though it is tried again. */
  persisted(): Promise<void> {
    this.#take()
    const position = this.#taken
    if (position <= this.#safe) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#barriers.push({ position, resolve, reject })
      void this.#go()
    })
  }

  /** Takes the last bytes; resolves when they are safe and the place is free. The store can end at once. */
  async close(): Promise<void> {
    if (this.#isOver) return
    const safe = this.persisted()
    this.#isOver = true
    clearTimeout(this.#timer)
    try {
      await safe
    } finally {
      await this.#whenIdle()
      await this.#release()
    }
  }

  /** Works until nothing is to be done. */
  async #go() {
    if (this.#isBusy) {
      this.#isAgain = true
      return
    }
    this.#isBusy = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      do {
        this.#isAgain = false
        await this.#turn()
      } while (this.#isAgain)
      this.#recovered()
    } catch (error) {
      this.#failed(error as Error)
    } finally {
      this.#isBusy = false
      for (const resolve of this.#idle.splice(0)) resolve()
    }
    if (!this.#isOver && this.#failures === 0 && this.#written > this.#safe && this.#policy === 0) this.stir()
  }

  async #turn() {
    await this.#write()
    if (this.#report() && !this.#isOver) await this.#rewrite()
  }

  /** Writes what was logged, and makes it safe if it is time. */
  async #write() {
    this.#take()
    if (this.#isTorn) {
      // A store that has ended has nothing left to be written anew.
      if (this.#isOver) throw new PersistError('keyside: the last changes could not be kept')
      await this.#writeAnew()
    } else if (this.#pendingBytes > 0) {
      const position = this.#taken
      const bytes = concat(this.#pending)
      await this.storage.append(this.#part!.name, this.#length, bytes)
      this.#length += bytes.length
      this.#drop(bytes.length)
      this.#written = position
    }
    const isDue = this.#policy === 1 || (this.#policy === 0 && Date.now() >= this.#syncedAt + SECOND)
    if (this.#written > this.#safe && (isDue || this.#barriers.length > 0)) await this.#sync()
    if (this.#policy === 2) this.#syncedAt = Date.now()
  }

  async #sync() {
    const position = this.#written
    try {
      await this.storage.sync()
    } catch (error) {
      // Nobody knows what the place has of the bytes.
      this.#isTorn = true
      throw error
    }
    this.#syncedAt = Date.now()
    this.#isSafe(position)
  }

  #isSafe(position: number) {
    this.#safe = position
    this.#recovered()
    const isMet = (barrier: Barrier) => barrier.position <= position
    const met = this.#barriers.filter(isMet)
    this.#barriers = this.#barriers.filter((barrier) => !isMet(barrier))
    for (const { resolve } of met) resolve()
  }

  /** Takes what the engine has logged. */
  #take() {
    if (this.#isOver || this.#journal.length() === 0) return
    const { bytes, position } = this.#journal.take()
    this.#taken = position
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
  }

  /** Rather writes everything anew than keep an ever longer list of changes. */
  #bound() {
    this.#take()
    if (this.#isBusy || (this.#pendingBytes <= PENDING_MAX && !this.#isTorn)) return
    this.#isTorn = true
    this.#pending = []
    this.#pendingBytes = 0
  }

  /** Forgets so many pending bytes. */
  #drop(length: number) {
    this.#pendingBytes -= length
    while (length > 0) {
      const [first] = this.#pending
      if (first!.length > length) this.#pending[0] = first!.subarray(length)
      else this.#pending.shift()
      length -= Math.min(length, first!.length)
    }
  }

  /** Makes all that is stored the base of a new log. */
  async #writeAnew() {
    const { storage } = this
    this.#take()
    const position = this.#taken
    this.#pending = []
    this.#pendingBytes = 0
    this.#isTorn = true
    const bytes = this.#journal.wholeBase()
    const [base, part] = this.#nextParts()
    try {
      await storage.append(base.name, 0, bytes)
      await storage.append(part.name, 0, NO_BYTES)
      await storage.sync()
    } catch (error) {
      for (const { name } of [base, part]) await storage.remove(name).catch(() => {})
      throw error
    }
    await this.#name(new Manifest([base, part]))
    ;[this.#part, this.#length, this.#rest, this.#baseSize] = [part, 0, bytes.length, bytes.length]
    this.#isTorn = false
    this.#written = position
    this.#syncedAt = Date.now()
    this.#isSafe(position)
  }

  /** Writes a base step by step, while what happens is logged behind it. */
  async #rewrite() {
    const { storage } = this
    const journal = this.#journal
    this.#take()
    const pending = concat(this.#pending)
    this.#drop(pending.length)
    const position = this.#taken
    journal.beginRewrite()
    const [base, part] = this.#nextParts()
    let isKept = false
    try {
      await this.#finishPart(pending, position, part)
      let size = 0
      for (let more = true; more && !this.#isOver && !this.#isTorn; ) {
        const step = journal.rewriteStep()
        more = step.more
        await storage.append(base.name, size, step.bytes)
        size += step.bytes.length
        if (this.#policy === 1 || this.#barriers.length > 0 || journal.length() >= EARLY || Date.now() >= this.#syncedAt + SECOND) await this.#write()
        await breath()
      }
      if (this.#isOver || this.#isTorn) return
      await storage.sync()
      await this.#name(new Manifest([base, part]))
      ;[this.#rest, this.#baseSize] = [size, size + this.#length]
      isKept = true
    } finally {
      if (!this.#isOver) journal.rewriteEnded(isKept)
      if (!isKept) await storage.remove(base.name).catch(() => {})
    }
  }

  /** Ends the part that is appended to with these bytes, and has another one follow. */
  async #finishPart(bytes: Uint8Array, position: number, next: Part) {
    const { storage } = this
    const again = () => {
      // What follows begins with its database, so it may stand behind the rest.
      this.#pending.unshift(bytes)
      this.#pendingBytes += bytes.length
    }
    try {
      if (bytes.length > 0) await storage.append(this.#part!.name, this.#length, bytes)
    } catch (error) {
      again()
      throw error
    }
    this.#length += bytes.length
    this.#written = position
    await storage.append(next.name, 0, NO_BYTES)
    await this.#sync()
    await this.#name(new Manifest([...this.#manifest.parts, next]))
    this.#rest += this.#length
    ;[this.#part, this.#length] = [next, 0]
  }

  /** Names for a base and what follows it. */
  #nextParts(): [Part, Part] {
    const sequence = ++this.#sequence
    return [partOf(sequence, true), partOf(sequence, false)]
  }

  /** Has the place name these parts, and removes those that are none any more. */
  async #name(manifest: Manifest) {
    const old = this.#manifest
    try {
      await this.storage.replace(MANIFEST, encoder.encode(String(manifest)))
    } catch (error) {
      // Nobody knows which manifest the place has, and so which parts are read.
      this.#isTorn = true
      throw error
    }
    this.#manifest = manifest
    for (const { name } of old.parts) if (!manifest.parts.some((part) => part.name === name)) await this.storage.remove(name).catch(() => {})
  }

  /** Tells the engine how it stands; whether a rewrite is wanted. */
  #report(): boolean {
    if (this.#isOver) return false
    const wanted = this.#journal.kept(this.#safe, this.#rest + this.#length, this.#baseSize)
    this.#policy = wanted >> 1
    return (wanted & 1) !== 0
  }

  #recovered() {
    if (this.#failures > 0) this.#tell({ kind: 'recovered' })
    this.#failures = 0
  }

  #failed(cause: Error) {
    if (cause instanceof LostError) return this.#lost(cause)
    const error = cause instanceof PersistError ? cause : new PersistError(`keyside: ${this.storage.place} cannot keep what changes: ${describe(cause)}`, { cause })
    this.#refuse(error)
    const retryMs = this.#isOver ? Infinity : Math.min(RETRY[0] * 2 ** this.#failures++, RETRY[1])
    if (!this.#isOver) {
      this.#timer = setTimeout(() => this.#go(), retryMs)
      if (typeof this.#timer === 'object') this.#timer.unref()
    }
    this.#tell({ kind: 'error', error, retryMs })
  }

  #lost(error: LostError) {
    const isNews = !this.#isOver
    this.#isOver = true
    this.#refuse(error)
    if (!isNews) return
    this.#tell({ kind: 'lost', place: this.storage.place })
    this.#instance.stop(error.message)
  }

  #refuse(error: Error) {
    for (const { reject } of this.#barriers.splice(0)) reject(error)
  }

  /** A page that is hidden may never be heard of again. */
  #watchPage() {
    if (typeof document === 'undefined') return
    const flush = () => {
      if (document.visibilityState === 'hidden' && !this.#isOver) this.persisted().catch(() => {})
    }
    document.addEventListener('visibilitychange', flush, { signal: this.#end.signal })
  }

  async #release() {
    this.#end.abort()
    this.#released()
    await this.storage.release?.()
  }

  #whenIdle(): Promise<void> {
    return this.#isBusy ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve()
  }
}

/** What went wrong, and what helps where that is known. */
function describe(error: Error): string {
  const isFull = error.name === 'QuotaExceededError' || (error as { code?: unknown }).code === 'ENOSPC'
  return isFull ? `there is no room left (${error.message}); remove data, or ask for more with navigator.storage.persist()` : `${error.message}`
}

function parse(place: string, manifest: Uint8Array): Manifest {
  try {
    return Manifest.parse(new TextDecoder().decode(manifest))
  } catch (error) {
    throw new Error(`keyside: ${place} cannot be opened: ${(error as Error).message}`)
  }
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return concat(all)
}

function concat(pieces: Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** Lets others have a turn. */
function breath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
