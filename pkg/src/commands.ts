// Written by `make update` from the commands' rows in src. Not for editing.

import type { Members, Names, Numeric, Pairs, Some, Streams, Value } from './values.js'

/** Redis's commands as methods; `Bytes` is how strings come back: as text, or as the bytes they are. */
export interface Commands<Bytes> {
  /**
   * Sets fields of a hash, creating it when missing; returns how many are new.
   *
   * `HSET`, since 2.0.0, O(N) where N is the number of fields)
   */
  hset(key: Value, pairs: Pairs<Value, Value>): number

  /**
   * Sets fields of a hash, creating it when missing; an older form of HSET.
   *
   * `HMSET`, since 2.0.0, O(N) where N is the number of fields)
   */
  hmset(key: Value, pairs: Pairs<Value, Value>): 'OK'

  /**
   * Sets a field of a hash when it does not exist.
   *
   * `HSETNX`, since 2.0.0, O(1)
   */
  hsetnx(key: Value, field: Value, value: Value): 0 | 1

  /**
   * Returns the value of a field.
   *
   * `HGET`, since 2.0.0, O(1)
   */
  hget(key: Value, field: Value): Bytes | null

  /**
   * Returns the values of several fields.
   *
   * `HMGET`, since 2.0.0, O(N) where N is the number of fields)
   */
  hmget(key: Value, ...fields: Some<Value>): (Bytes | null)[]

  /**
   * Returns all fields and their values.
   *
   * `HGETALL`, since 2.0.0, O(N) where N is the size of the hash)
   */
  hgetall(key: Value): Record<string, Bytes>

  /**
   * Deletes fields; returns how many there were.
   *
   * `HDEL`, since 2.0.0, O(N) where N is the number of fields)
   */
  hdel(key: Value, ...fields: Some<Value>): number

  /**
   * Returns whether a field exists.
   *
   * `HEXISTS`, since 2.0.0, O(1)
   */
  hexists(key: Value, field: Value): 0 | 1

  /**
   * Returns the number of fields.
   *
   * `HLEN`, since 2.0.0, O(1)
   */
  hlen(key: Value): number

  /**
   * Returns the length of the value of a field in bytes.
   *
   * `HSTRLEN`, since 3.2.0, O(1)
   */
  hstrlen(key: Value, field: Value): number

  /**
   * Returns all fields.
   *
   * `HKEYS`, since 2.0.0, O(N) where N is the size of the hash)
   */
  hkeys(key: Value): Bytes[]

  /**
   * Returns all values.
   *
   * `HVALS`, since 2.0.0, O(N) where N is the size of the hash)
   */
  hvals(key: Value): Bytes[]

  /**
   * Adds to the integer of a field, which is 0 when missing.
   *
   * `HINCRBY`, since 2.0.0, O(1)
   */
  hincrby(key: Value, field: Value, increment: Numeric): number

  /**
   * Adds to the number of a field, which is 0 when missing.
   *
   * `HINCRBYFLOAT`, since 2.6.0, O(1)
   */
  hincrbyfloat(key: Value, field: Value, increment: Numeric): Bytes

  /**
   * Adds elements at the head of a list, one after the other, creating it when missing; returns its length.
   *
   * `LPUSH`, since 1.0.0, O(1) for each element added, so O(N)
   */
  lpush(key: Value, ...elements: Some<Value>): number

  /**
   * Adds elements at the tail of a list, creating it when missing; returns its length.
   *
   * `RPUSH`, since 1.0.0, O(1) for each element added, so O(N)
   */
  rpush(key: Value, ...elements: Some<Value>): number

  /**
   * Adds elements at the head of a list that exists; returns its length.
   *
   * `LPUSHX`, since 2.2.0, O(1) for each element added, so O(N)
   */
  lpushx(key: Value, ...elements: Some<Value>): number

  /**
   * Adds elements at the tail of a list that exists; returns its length.
   *
   * `RPUSHX`, since 2.2.0, O(1) for each element added, so O(N)
   */
  rpushx(key: Value, ...elements: Some<Value>): number

  /**
   * Removes and returns the first elements of a list.
   *
   * `LPOP`, since 1.0.0, O(N) where N is the number of elements returned)
   */
  lpop(key: Value): Bytes | null
  lpop(key: Value, count: Numeric): Bytes[] | null
  lpop(key: Value, count?: Numeric): Bytes | Bytes[] | null

  /**
   * Removes and returns the last elements of a list.
   *
   * `RPOP`, since 1.0.0, O(N) where N is the number of elements returned)
   */
  rpop(key: Value): Bytes | null
  rpop(key: Value, count: Numeric): Bytes[] | null
  rpop(key: Value, count?: Numeric): Bytes | Bytes[] | null

  /**
   * Returns the length of a list.
   *
   * `LLEN`, since 1.0.0, O(1)
   */
  llen(key: Value): number

  /**
   * Returns the elements between two positions, negative ones from the end.
   *
   * `LRANGE`, since 1.0.0, O(S+N) where S is the distance of start from the nearer end and N the number of elements)
   */
  lrange(key: Value, start: Numeric, stop: Numeric): Bytes[]

  /**
   * Returns an element by its position, negative from the end.
   *
   * `LINDEX`, since 1.0.0, O(N) where N is the number of elements to traverse)
   */
  lindex(key: Value, index: Value): Bytes | null

  /**
   * Replaces an element by its position, negative from the end.
   *
   * `LSET`, since 1.0.0, O(N) where N is the length of the list)
   */
  lset(key: Value, index: Value, element: Value): 'OK'

  /**
   * Removes elements that are equal to one: the first count, the last -count, or all with 0; returns how many.
   *
   * `LREM`, since 1.0.0, O(N+M) where N is the length of the list and M the number of elements removed)
   */
  lrem(key: Value, count: Numeric, element: Value): number

  /**
   * Keeps the elements between two positions and removes the others.
   *
   * `LTRIM`, since 1.0.0, O(N) where N is the number of elements removed)
   */
  ltrim(key: Value, start: Numeric, stop: Numeric): 'OK'

  /**
   * Puts an element before or after another one; returns the length, or -1 when there is no such other.
   *
   * `LINSERT`, since 2.2.0, O(N) where N is the number of elements before the pivot)
   */
  linsert(key: Value, place: 'before' | 'after', pivot: Value, element: Value): number

  /**
   * Returns the positions of elements that are equal to one.
   *
   * `LPOS`, since 6.0.6, O(N) where N is the number of elements)
   */
  lpos(key: Value, element: Value, options?: { rank?: Numeric; count?: undefined; maxlen?: Numeric }): number | null
  lpos(key: Value, element: Value, options: { rank?: Numeric; count: Numeric; maxlen?: Numeric }): number[]
  lpos(key: Value, element: Value, options?: { rank?: Numeric; count?: Numeric; maxlen?: Numeric }): number | number[] | null

  /**
   * Moves an element from an end of one list to an end of another, which may be the same; returns it.
   *
   * `LMOVE`, since 6.2.0, O(1)
   */
  lmove(source: Value, destination: Value, from: 'left' | 'right', to: 'left' | 'right'): Bytes | null

  /**
   * Moves the last element of a list to the head of another; an older form of LMOVE.
   *
   * `RPOPLPUSH`, since 1.2.0, O(1)
   */
  rpoplpush(source: Value, destination: Value): Bytes | null

  /**
   * Adds members to a set, creating it when missing; returns how many are new.
   *
   * `SADD`, since 1.0.0, O(N) where N is the number of members)
   */
  sadd(key: Value, ...members: Some<Value>): number

  /**
   * Removes members; returns how many there were.
   *
   * `SREM`, since 1.0.0, O(N) where N is the number of members)
   */
  srem(key: Value, ...members: Some<Value>): number

  /**
   * Moves a member to another set.
   *
   * `SMOVE`, since 1.0.0, O(1)
   */
  smove(source: Value, destination: Value, member: Value): 0 | 1

  /**
   * Returns whether a member is in a set.
   *
   * `SISMEMBER`, since 1.0.0, O(1)
   */
  sismember(key: Value, member: Value): 0 | 1

  /**
   * Returns whether each of several members is in a set.
   *
   * `SMISMEMBER`, since 6.2.0, O(N) where N is the number of members)
   */
  smismember(key: Value, ...members: Some<Value>): (0 | 1)[]

  /**
   * Returns all members.
   *
   * `SMEMBERS`, since 1.0.0, O(N) where N is the size of the set)
   */
  smembers(key: Value): Bytes[]

  /**
   * Returns the number of members.
   *
   * `SCARD`, since 1.0.0, O(1)
   */
  scard(key: Value): number

  /**
   * Removes and returns members chosen by chance.
   *
   * `SPOP`, since 1.0.0, O(N) where N is the number of members returned)
   */
  spop(key: Value): Bytes | null
  spop(key: Value, count: Numeric): Bytes[] | null
  spop(key: Value, count?: Numeric): Bytes | Bytes[] | null

  /**
   * Returns members chosen by chance; a negative count may return one several times.
   *
   * `SRANDMEMBER`, since 1.0.0, O(N) where N is the number of members returned)
   */
  srandmember(key: Value): Bytes | null
  srandmember(key: Value, count: Numeric): Bytes[] | null
  srandmember(key: Value, count?: Numeric): Bytes | Bytes[] | null

  /**
   * Returns the members that are in all of several sets.
   *
   * `SINTER`, since 1.0.0, O(N*M) where N is the size of the smallest set and M the number of sets)
   */
  sinter(...keys: Some<Value>): Bytes[]

  /**
   * Returns the members that are in any of several sets.
   *
   * `SUNION`, since 1.0.0, O(N) where N is the size of all sets together)
   */
  sunion(...keys: Some<Value>): Bytes[]

  /**
   * Returns the members of the first set that are in none of the others.
   *
   * `SDIFF`, since 1.0.0, O(N) where N is the size of all sets together)
   */
  sdiff(...keys: Some<Value>): Bytes[]

  /**
   * Adds members to a sorted set, or updates their scores; returns how many are new.
   *
   * `ZADD`, since 1.2.0, O(log(N)) for each member, where N is the size of the sorted set)
   */
  zadd(key: Value, pairs: Members<Numeric, Value>, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean; ch?: boolean; incr?: boolean }): number

  /**
   * Adds to the score of a member, which is 0 when missing.
   *
   * `ZINCRBY`, since 1.2.0, O(log(N)) where N is the size of the sorted set)
   */
  zincrby(key: Value, increment: Numeric, member: Value): number

  /**
   * Removes members; returns how many there were.
   *
   * `ZREM`, since 1.2.0, O(M*log(N)) where N is the size of the sorted set and M the number of members)
   */
  zrem(key: Value, ...members: Some<Value>): number

  /**
   * Returns the score of a member.
   *
   * `ZSCORE`, since 1.2.0, O(1)
   */
  zscore(key: Value, member: Value): number | null

  /**
   * Returns the scores of several members.
   *
   * `ZMSCORE`, since 6.2.0, O(N) where N is the number of members)
   */
  zmscore(key: Value, ...members: Some<Value>): (number | null)[]

  /**
   * Returns the number of members.
   *
   * `ZCARD`, since 1.2.0, O(1)
   */
  zcard(key: Value): number

  /**
   * Returns the number of members with scores in a range.
   *
   * `ZCOUNT`, since 2.0.0, O(log(N)) where N is the size of the sorted set)
   */
  zcount(key: Value, min: Numeric, max: Numeric): number

  /**
   * Returns the number of members in a range of their own, when all have the same score.
   *
   * `ZLEXCOUNT`, since 2.8.9, O(log(N)) where N is the size of the sorted set)
   */
  zlexcount(key: Value, min: Value, max: Value): number

  /**
   * Returns the rank of a member from the lowest score on.
   *
   * `ZRANK`, since 2.0.0, O(log(N)) where N is the size of the sorted set)
   */
  zrank(key: Value, member: Value, options?: { withscore?: false }): number | null
  zrank(key: Value, member: Value, options: { withscore: true }): [number, number] | null
  zrank(key: Value, member: Value, options?: { withscore?: boolean }): number | [number, number] | null

  /**
   * Returns the rank of a member from the highest score on.
   *
   * `ZREVRANK`, since 2.0.0, O(log(N)) where N is the size of the sorted set)
   */
  zrevrank(key: Value, member: Value, options?: { withscore?: false }): number | null
  zrevrank(key: Value, member: Value, options: { withscore: true }): [number, number] | null
  zrevrank(key: Value, member: Value, options?: { withscore?: boolean }): number | [number, number] | null

  /**
   * Returns the members between two ranks, or in a range of scores or of members.
   *
   * `ZRANGE`, since 1.2.0, O(log(N)+M) where N is the size of the sorted set and M the number of members returned)
   */
  zrange(key: Value, start: Value, stop: Value, options?: { byscore?: boolean; bylex?: boolean; rev?: boolean; limit?: [Numeric, Numeric]; withscores?: false }): Bytes[]
  zrange(key: Value, start: Value, stop: Value, options: { byscore?: boolean; bylex?: boolean; rev?: boolean; limit?: [Numeric, Numeric]; withscores: true }): [Bytes, number][]
  zrange(key: Value, start: Value, stop: Value, options?: { byscore?: boolean; bylex?: boolean; rev?: boolean; limit?: [Numeric, Numeric]; withscores?: boolean }): Bytes[] | [Bytes, number][]

  /**
   * Returns the members between two ranks from the highest score on.
   *
   * `ZREVRANGE`, since 1.2.0, O(log(N)+M) where N is the size of the sorted set and M the number of members returned)
   */
  zrevrange(key: Value, start: Numeric, stop: Numeric, options?: { withscores?: false }): Bytes[]
  zrevrange(key: Value, start: Numeric, stop: Numeric, options: { withscores: true }): [Bytes, number][]
  zrevrange(key: Value, start: Numeric, stop: Numeric, options?: { withscores?: boolean }): Bytes[] | [Bytes, number][]

  /**
   * Returns the members with scores in a range.
   *
   * `ZRANGEBYSCORE`, since 1.0.5, O(log(N)+M) where N is the size of the sorted set and M the number of members returned)
   */
  zrangebyscore(key: Value, min: Numeric, max: Numeric, options?: { withscores?: false; limit?: [Numeric, Numeric] }): Bytes[]
  zrangebyscore(key: Value, min: Numeric, max: Numeric, options: { withscores: true; limit?: [Numeric, Numeric] }): [Bytes, number][]
  zrangebyscore(key: Value, min: Numeric, max: Numeric, options?: { withscores?: boolean; limit?: [Numeric, Numeric] }): Bytes[] | [Bytes, number][]

  /**
   * Returns the members with scores in a range from the highest score on.
   *
   * `ZREVRANGEBYSCORE`, since 2.2.0, O(log(N)+M) where N is the size of the sorted set and M the number of members returned)
   */
  zrevrangebyscore(key: Value, max: Numeric, min: Numeric, options?: { withscores?: false; limit?: [Numeric, Numeric] }): Bytes[]
  zrevrangebyscore(key: Value, max: Numeric, min: Numeric, options: { withscores: true; limit?: [Numeric, Numeric] }): [Bytes, number][]
  zrevrangebyscore(key: Value, max: Numeric, min: Numeric, options?: { withscores?: boolean; limit?: [Numeric, Numeric] }): Bytes[] | [Bytes, number][]

  /**
   * Returns the members in a range of their own, when all have the same score.
   *
   * `ZRANGEBYLEX`, since 2.8.9, O(log(N)+M) where N is the size of the sorted set and M the number of members returned)
   */
  zrangebylex(key: Value, min: Value, max: Value, options?: { limit?: [Numeric, Numeric] }): Bytes[]

  /**
   * Returns the members in a range of their own from the last one on, when all have the same score.
   *
   * `ZREVRANGEBYLEX`, since 2.8.9, O(log(N)+M) where N is the size of the sorted set and M the number of members returned)
   */
  zrevrangebylex(key: Value, max: Value, min: Value, options?: { limit?: [Numeric, Numeric] }): Bytes[]

  /**
   * Removes and returns the members with the lowest scores.
   *
   * `ZPOPMIN`, since 5.0.0, O(log(N)*M) where N is the size of the sorted set and M the number of members returned)
   */
  zpopmin(key: Value): [Bytes, number] | []
  zpopmin(key: Value, count: Numeric): [Bytes, number][]
  zpopmin(key: Value, count?: Numeric): [Bytes, number] | [Bytes, number][] | []

  /**
   * Removes and returns the members with the highest scores.
   *
   * `ZPOPMAX`, since 5.0.0, O(log(N)*M) where N is the size of the sorted set and M the number of members returned)
   */
  zpopmax(key: Value): [Bytes, number] | []
  zpopmax(key: Value, count: Numeric): [Bytes, number][]
  zpopmax(key: Value, count?: Numeric): [Bytes, number] | [Bytes, number][] | []

  /**
   * Appends an entry to a stream, creating it when missing; returns the entry's ID.
   *
   * `XADD`, since 5.0.0, O(1) when adding, O(N) when trimming where N is the number of entries evicted)
   */
  xadd(key: Value, id: Value, fields: Pairs<Value, Value>, options?: { nomkstream?: boolean; maxlen?: Value | ['=' | '~', Value]; minid?: Value | ['=' | '~', Value]; limit?: Numeric }): string | null

  /**
   * Returns the number of entries.
   *
   * `XLEN`, since 5.0.0, O(1)
   */
  xlen(key: Value): number

  /**
   * Returns the entries between two IDs.
   *
   * `XRANGE`, since 5.0.0, O(N) where N is the number of entries returned)
   */
  xrange(key: Value, start: Value, end: Value, options?: { count?: Numeric }): [string, Bytes[]][] | null

  /**
   * Returns the entries between two IDs from the last on.
   *
   * `XREVRANGE`, since 5.0.0, O(N) where N is the number of entries returned)
   */
  xrevrange(key: Value, end: Value, start: Value, options?: { count?: Numeric }): [string, Bytes[]][] | null

  /**
   * Deletes entries; returns how many there were.
   *
   * `XDEL`, since 5.0.0, O(1) for each entry)
   */
  xdel(key: Value, ...ids: Some<Value>): number

  /**
   * Removes the oldest entries down to a length or an ID; returns how many.
   *
   * `XTRIM`, since 5.0.0, O(N) where N is the number of entries removed)
   */
  xtrim(key: Value, options: { maxlen?: Value | ['=' | '~', Value]; minid?: Value | ['=' | '~', Value]; limit?: Numeric }): number

  /**
   * Returns the entries of several streams that came after an ID of each.
   *
   * `XREAD`, since 5.0.0, O(N) where N is the number of entries returned)
   */
  xread(streams: Streams, options?: { count?: Numeric }): Record<string, [string, Bytes[]][]> | null

  /**
   * Sets a key to a text, whatever it held; optionally only when it exists or does not, with a time to live.
   *
   * `SET`, since 1.0.0, O(1)
   */
  set(key: Value, value: Value, options?: { nx?: boolean; xx?: boolean; get?: false; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): 'OK' | null
  set(key: Value, value: Value, options: { nx?: boolean; xx?: boolean; get: true; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): Bytes | null
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
   * Adds to the number of a key, which is 0 when missing.
   *
   * `INCRBYFLOAT`, since 2.6.0, O(1)
   */
  incrbyfloat(key: Value, increment: Numeric): Bytes

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
hset key 2pairs
hmset key 2pairs
hsetnx key field value
hget key field
hmget key *fields
hgetall key
hdel key *fields
hexists key field
hlen key
hstrlen key field
hkeys key
hvals key
hincrby key field increment
hincrbyfloat key field increment
lpush key *elements
rpush key *elements
lpushx key *elements
rpushx key *elements
lpop key ?count
rpop key ?count
llen key
lrange key start stop
lindex key index
lset key index element
lrem key count element
ltrim key start stop
linsert key place pivot element
lpos key element {rank=,count=,maxlen=
lmove source destination from to
rpoplpush source destination
sadd key *members
srem key *members
smove source destination member
sismember key member
smismember key *members
smembers key
scard key
spop key ?count
srandmember key ?count
sinter *keys
sunion *keys
sdiff *keys
zadd key {nx,xx,gt,lt,ch,incr ~pairs
zincrby key increment member
zrem key *members
zscore key member
zmscore key *members
zcard key
zcount key min max
zlexcount key min max
zrank key member {withscore
zrevrank key member {withscore
zrange key start stop {byscore,bylex,rev,limit=,withscores
zrevrange key start stop {withscores
zrangebyscore key min max {withscores,limit=
zrevrangebyscore key max min {withscores,limit=
zrangebylex key min max {limit=
zrevrangebylex key max min {limit=
zpopmin key ?count
zpopmax key ?count
xadd key {nomkstream,maxlen=,minid=,limit= id 2fields
xlen key
xrange key start end {count=
xrevrange key end start {count=
xdel key *ids
xtrim key {maxlen=,minid=,limit=
xread {count= %streams
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
incrbyfloat key increment
multi
exec
discard
`
