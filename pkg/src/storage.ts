/** What a place has to offer for a store to be kept there, and how it says that it cannot. */

/**
 * A place with a few named sequences of bytes. Calls never overlap. A call that fails is made again later, so the place need not
 * undo what a failed call has done.
 */
export interface Storage {
  /** What errors and reports call it, such as `idb://name`. */
  readonly place: string
  /** Takes the place for one store, before anything else. Throws {@link TakenError} when another store has it. */
  claim?(): Promise<void>
  /** The names there are. */
  list(): Promise<string[]>
  /** The bytes under a name, in pieces; none if there is no such name. */
  read(name: string): AsyncIterable<Uint8Array>
  /**
   * Puts bytes where those under a name end, or before: whatever was there from `at` on is gone. A name that is not there is
   * made.
   */
  append(name: string, at: number, bytes: Uint8Array): Promise<void>
  /** Has all that was appended be there after a crash. */
  sync(): Promise<void>
  /** Puts all bytes of a name at once: after a crash there are the old ones, or the new ones and all that was appended before. */
  replace(name: string, bytes: Uint8Array): Promise<void>
  /** Removes a name, if it is there. */
  remove(name: string): Promise<void>
  /** Gives the place free. */
  release?(): Promise<void>
}

/** When changes are made safe: as they happen, once a second, or when the place likes to. */
export type Appendfsync = 'always' | 'everysec' | 'no'

/** What happened to the data that is kept, for people. */
export type PersistEvent =
  /** The data is kept elsewhere than asked for, or in memory only: what was wanted does not work here. */
  | { kind: 'downgrade'; from: string; to: string; reason: string }
  /** Changes could not be kept. The store goes on, and it is tried again after so many milliseconds. */
  | { kind: 'error'; error: Error; retryMs: number }
  /** Everything is kept again. */
  | { kind: 'recovered' }
  /** A crash had torn the last change: so many bytes of it were cut off. */
  | { kind: 'cut'; place: string; bytes: number }
  /** Another store has taken the place by force; this one is over. */
  | { kind: 'lost'; place: string }

/** The place is another store's. */
export class TakenError extends Error {
  constructor(place: string, cure: string) {
    super(`keyside: ${place} is in use by another store; ${cure}`)
  }

  override get name() {
    return 'TakenError'
  }
}

/** Another store has taken the place by force. */
export class LostError extends Error {
  constructor(place: string) {
    super(`keyside: ${place} was taken over by another store; open it again`)
  }

  override get name() {
    return 'LostError'
  }
}

/** There is no such place here. */
export class UnavailableError extends Error {
  override get name() {
    return 'UnavailableError'
  }
}

/** Changes could not be kept. They are kept in memory, and it is tried again. */
export class PersistError extends Error {
  override get name() {
    return 'PersistError'
  }
}
