// Written by `make update` from the commands' rows in src. Not for editing.

import type { Members, Names, Numeric, Pairs, Some, Streams, Value } from './values.js'

/** Redis's commands as methods; `Bytes` is how strings come back: as text, or as the bytes they are. */
export interface Commands<Bytes> {
  /**
   * Sets a key to a text, whatever it held; optionally only when it exists or does not, with a time to live.
   *
   * `SET`, since 1.0.0, O(1)
   */
  set(key: Value, value: Value, options?: { nx?: boolean; xx?: boolean; get?: boolean; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): 'OK' | Bytes | null

  /**
   * Returns the text of a key.
   *
   * `GET`, since 1.0.0, O(1)
   */
  get(key: Value): Bytes | null

  /**
   * Sets a key to a text and returns the one it had.
   *
   * `GETSET`, since 1.0.0, O(1)
   */
  getset(key: Value, value: Value): Bytes | null

  /**
   * Returns the text of a key and deletes the key.
   *
   * `GETDEL`, since 6.2.0, O(1)
   */
  getdel(key: Value): Bytes | null

  /**
   * Returns the text of a key and sets or clears its time to live.
   *
   * `GETEX`, since 6.2.0, O(1)
   */
  getex(key: Value, options?: { persist?: boolean; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): Bytes | null

  /**
   * Sets a key to a text that expires after some seconds.
   *
   * `SETEX`, since 2.0.0, O(1)
   */
  setex(key: Value, seconds: Numeric, value: Value): 'OK'

  /**
   * Sets a key to a text that expires after some milliseconds.
   *
   * `PSETEX`, since 2.6.0, O(1)
   */
  psetex(key: Value, milliseconds: Numeric, value: Value): 'OK'

  /**
   * Sets a key to a text when the key does not exist.
   *
   * `SETNX`, since 1.0.0, O(1)
   */
  setnx(key: Value, value: Value): 0 | 1

  /**
   * Sets several keys.
   *
   * `MSET`, since 1.0.1, O(N) where N is the number of keys to set)
   */
  mset(pairs: Pairs<Value, Value>): 'OK'

  /**
   * Sets several keys when none of them exists.
   *
   * `MSETNX`, since 1.0.1, O(N) where N is the number of keys to set)
   */
  msetnx(pairs: Pairs<Value, Value>): 0 | 1

  /**
   * Returns the texts of several keys.
   *
   * `MGET`, since 1.0.0, O(N) where N is the number of keys to retrieve)
   */
  mget(...keys: Some<Value>): (Bytes | null)[]

  /**
   * Appends to the text of a key, creating it when missing; returns the new length.
   *
   * `APPEND`, since 2.0.0, O(1)
   */
  append(key: Value, value: Value): number

  /**
   * Returns the length of a text in bytes.
   *
   * `STRLEN`, since 2.2.0, O(1)
   */
  strlen(key: Value): number

  /**
   * Returns a part of a text by the positions of its first and last byte, negative ones from the end.
   *
   * `GETRANGE`, since 2.4.0, O(N) where N is the length of the returned string)
   */
  getrange(key: Value, start: Numeric, end: Numeric): Bytes

  /**
   * Returns a part of a text; an older name of GETRANGE.
   *
   * `SUBSTR`, since 1.0.0, O(N) where N is the length of the returned string)
   */
  substr(key: Value, start: Numeric, end: Numeric): Bytes

  /**
   * Overwrites a part of a text from a position on; returns the new length.
   *
   * `SETRANGE`, since 2.2.0, O(1)
   */
  setrange(key: Value, offset: Numeric, value: Value): number

  /**
   * Adds one to the integer of a key, which is 0 when missing.
   *
   * `INCR`, since 1.0.0, O(1)
   */
  incr(key: Value): number

  /**
   * Subtracts one from the integer of a key, which is 0 when missing.
   *
   * `DECR`, since 1.0.0, O(1)
   */
  decr(key: Value): number

  /**
   * Adds to the integer of a key, which is 0 when missing.
   *
   * `INCRBY`, since 1.0.0, O(1)
   */
  incrby(key: Value, increment: Numeric): number

  /**
   * Subtracts from the integer of a key, which is 0 when missing.
   *
   * `DECRBY`, since 1.0.0, O(1)
   */
  decrby(key: Value, decrement: Numeric): number

  /**
   * Starts a transaction: commands are queued until EXEC.
   *
   * `MULTI`, since 1.2.0, O(1)
   */
  multi(): 'OK'

  /**
   * Runs the queued commands as one unit.
   *
   * `EXEC`, since 1.2.0, O(depends on commands in the transaction)
   */
  exec(): unknown

  /**
   * Forgets the queued commands.
   *
   * `DISCARD`, since 2.0.0, O(N), when N is the number of queued commands)
   */
  discard(): 'OK'
}

/** Each command with the signature of its method, in the order of their numbers in the engine. */
export const SIGNATURES = `\
set key value {nx,xx,get,ex=,px=,exat=,pxat=,keepttl
get key
getset key value
getdel key
getex key {persist,ex=,px=,exat=,pxat=,keepttl
setex key seconds value
psetex key milliseconds value
setnx key value
mset 2pairs
msetnx 2pairs
mget *keys
append key value
strlen key
getrange key start end
substr key start end
setrange key offset value
incr key
decr key
incrby key increment
decrby key decrement
multi
exec
discard
`
