// Written by `make update` from the commands' rows in src. Not for editing.

import type { Members, Names, Numeric, Pairs, Some, Streams, Value } from './values.js'

/** Redis's commands as methods; `Bytes` is how strings come back: as text, or as the bytes they are. */
export interface Commands<Bytes> {
  /**
   * Sets or clears a bit of a text, creating it when missing; returns the bit it was.
   *
   * `SETBIT`, since 2.2.0, O(1)
   */
  setbit(key: Value, offset: Numeric, value: Numeric): 0 | 1

  /**
   * Returns a bit of a text.
   *
   * `GETBIT`, since 2.2.0, O(1)
   */
  getbit(key: Value, offset: Numeric): 0 | 1

  /**
   * Counts the bits that are set in a text, or in a part of it by the positions of its first and last byte or bit.
   *
   * `BITCOUNT`, since 2.6.0, O(N) where N is the length of the string
   */
  bitcount(key: Value, start?: Numeric, end?: Numeric, options?: { byte?: boolean; bit?: boolean }): number

  /**
   * Returns the position of the first bit that is 0 or 1 in a text, or in a part of it; -1 when there is none.
   *
   * `BITPOS`, since 2.8.7, O(N) where N is the length of the string
   */
  bitpos(key: Value, bit: Numeric, start?: Numeric, end?: Numeric, options?: { byte?: boolean; bit?: boolean }): number

  /**
   * Combines texts bit by bit and stores the result; returns its length in bytes.
   *
   * `BITOP`, since 2.6.0, O(N) where N is the length of the longest string
   */
  bitop(operation: 'and' | 'or' | 'xor' | 'not' | 'diff' | 'diff1' | 'andor' | 'one', destkey: Value, ...keys: Some<Value>): number

  /**
   * Reads, writes and adds to integers of any number of bits anywhere in a text.
   *
   * `BITFIELD`, since 3.2.0, O(1) for each subcommand
   */
  bitfield(key: Value, options?: { get?: [Value, Numeric]; set?: [Value, Numeric, Numeric]; incrby?: [Value, Numeric, Numeric]; overflow?: 'wrap' | 'sat' | 'fail' }): (number | null)[]

  /**
   * Reads integers of any number of bits anywhere in a text.
   *
   * `BITFIELD_RO`, since 6.0.0, O(1) for each subcommand
   */
  bitfield_ro(key: Value, options?: { get?: [Value, Numeric] }): (number | null)[]

  /**
   * Removes and returns the first element of the first of several lists that has any, waiting for one if none has.
   *
   * `BLPOP`, since 2.0.0, O(N) where N is the number of keys
   */
  blpop(keys: Names<Value>, timeout: Numeric, options?: { signal?: AbortSignal }): Promise<[Bytes, Bytes] | null>

  /**
   * Removes and returns the last element of the first of several lists that has any, waiting for one if none has.
   *
   * `BRPOP`, since 2.0.0, O(N) where N is the number of keys
   */
  brpop(keys: Names<Value>, timeout: Numeric, options?: { signal?: AbortSignal }): Promise<[Bytes, Bytes] | null>

  /**
   * Removes and returns elements from an end of the first of several lists that has any, waiting for some if none has.
   *
   * `BLMPOP`, since 7.0.0, O(N+M) where N is the number of keys and M the number of elements returned
   */
  blmpop(timeout: Numeric, keys: Names<Value>, from: 'left' | 'right', options?: { count?: Numeric; signal?: AbortSignal }): Promise<[Bytes, Bytes[]] | null>

  /**
   * Moves an element from an end of one list to an end of another, waiting for one; returns it.
   *
   * `BLMOVE`, since 6.2.0, O(1)
   */
  blmove(source: Value, destination: Value, from: 'left' | 'right', to: 'left' | 'right', timeout: Numeric, options?: { signal?: AbortSignal }): Promise<Bytes | null>

  /**
   * Moves the last element of a list to the head of another, waiting for one; an older form of BLMOVE.
   *
   * `BRPOPLPUSH`, since 2.2.0, O(1)
   */
  brpoplpush(source: Value, destination: Value, timeout: Numeric, options?: { signal?: AbortSignal }): Promise<Bytes | null>

  /**
   * Removes and returns the member with the lowest score of the first of several sorted sets that has any, waiting for one if none has.
   *
   * `BZPOPMIN`, since 5.0.0, O(log(N)) where N is the number of members
   */
  bzpopmin(keys: Names<Value>, timeout: Numeric, options?: { signal?: AbortSignal }): Promise<[Bytes, Bytes, number] | null>

  /**
   * Removes and returns the member with the highest score of the first of several sorted sets that has any, waiting for one if none has.
   *
   * `BZPOPMAX`, since 5.0.0, O(log(N)) where N is the number of members
   */
  bzpopmax(keys: Names<Value>, timeout: Numeric, options?: { signal?: AbortSignal }): Promise<[Bytes, Bytes, number] | null>

  /**
   * Removes and returns the members with the lowest or highest scores of the first of several sorted sets that has some, waiting for some if none has.
   *
   * `BZMPOP`, since 7.0.0, O(K) + O(M*log(N)) where K is the number of keys, N the size of the sorted set and M the number of members returned
   */
  bzmpop(timeout: Numeric, keys: Names<Value>, end: 'min' | 'max', options?: { count?: Numeric; signal?: AbortSignal }): Promise<[Bytes, [Bytes, number][]] | null>

  /**
   * Deletes keys; returns how many there were.
   *
   * `DEL`, since 1.0.0, O(N) where N is the number of keys to remove, plus the number of elements of collections
   */
  del(...keys: Some<Value>): number

  /**
   * Deletes keys; returns how many there were.
   *
   * `UNLINK`, since 4.0.0, O(1) for each key, plus the number of elements of collections
   */
  unlink(...keys: Some<Value>): number

  /**
   * Returns how many of some keys exist; one named twice counts twice.
   *
   * `EXISTS`, since 1.0.0, O(N) where N is the number of keys to check
   */
  exists(...keys: Some<Value>): number

  /**
   * Returns how many of some keys exist, and counts that as an access to them.
   *
   * `TOUCH`, since 3.2.1, O(N) where N is the number of keys to touch
   */
  touch(...keys: Some<Value>): number

  /**
   * Returns the kind of value of a key.
   *
   * `TYPE`, since 1.0.0, O(1)
   */
  type(key: Value): string

  /**
   * Returns the keys that match a pattern.
   *
   * `KEYS`, since 1.0.0, O(N) where N is the number of keys in the database
   */
  keys(pattern: Value): Bytes[]

  /**
   * Returns a key by chance.
   *
   * `RANDOMKEY`, since 1.0.0, O(1)
   */
  randomkey(): Bytes | null

  /**
   * Gives a key another name, replacing what had it.
   *
   * `RENAME`, since 1.0.0, O(1)
   */
  rename(key: Value, newkey: Value): 'OK'

  /**
   * Gives a key another name that no key has.
   *
   * `RENAMENX`, since 1.0.0, O(1)
   */
  renamenx(key: Value, newkey: Value): 0 | 1

  /**
   * Copies a key, also to another database.
   *
   * `COPY`, since 6.2.0, O(N) worst case for collections, where N is the number of elements; O(1) for texts
   */
  copy(source: Value, destination: Value, options?: { db?: Numeric; replace?: boolean }): 0 | 1

  /**
   * Moves a key to another database.
   *
   * `MOVE`, since 1.0.0, O(1)
   */
  move(key: Value, db: Numeric): 0 | 1

  /**
   * Has a key expire after some seconds.
   *
   * `EXPIRE`, since 1.0.0, O(1)
   */
  expire(key: Value, seconds: Numeric, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean }): 0 | 1

  /**
   * Has a key expire after some milliseconds.
   *
   * `PEXPIRE`, since 2.6.0, O(1)
   */
  pexpire(key: Value, milliseconds: Numeric, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean }): 0 | 1

  /**
   * Has a key expire at a time in seconds since 1970.
   *
   * `EXPIREAT`, since 1.2.0, O(1)
   */
  expireat(key: Value, seconds: Numeric, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean }): 0 | 1

  /**
   * Has a key expire at a time in milliseconds since 1970.
   *
   * `PEXPIREAT`, since 2.6.0, O(1)
   */
  pexpireat(key: Value, milliseconds: Numeric, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean }): 0 | 1

  /**
   * Returns for how many seconds a key still lives; -1 for ever, -2 if there is none.
   *
   * `TTL`, since 1.0.0, O(1)
   */
  ttl(key: Value): number

  /**
   * Returns for how many milliseconds a key still lives; -1 for ever, -2 if there is none.
   *
   * `PTTL`, since 2.6.0, O(1)
   */
  pttl(key: Value): number

  /**
   * Returns when a key expires, in seconds since 1970; -1 for never, -2 if there is none.
   *
   * `EXPIRETIME`, since 7.0.0, O(1)
   */
  expiretime(key: Value): number

  /**
   * Returns when a key expires, in milliseconds since 1970; -1 for never, -2 if there is none.
   *
   * `PEXPIRETIME`, since 7.0.0, O(1)
   */
  pexpiretime(key: Value): number

  /**
   * Moves keys to another server, which is refused: DUMP and RESTORE do it.
   *
   * `MIGRATE`, since 2.6.0, O(1)
   */
  migrate(host: Value, port: Numeric, request: Value, destinationDb: Numeric, timeout: Numeric, options?: { copy?: boolean; replace?: boolean; auth?: Value; auth2?: [Value, Value]; keys?: Names<Value> }): string

  /**
   * Has a key live for ever.
   *
   * `PERSIST`, since 2.2.0, O(1)
   */
  persist(key: Value): 0 | 1

  /**
   * Returns how a value is kept in memory.
   *
   * `OBJECT ENCODING`, since 2.2.3, O(1)
   */
  object_encoding(key: Value): Bytes | null

  /**
   * Returns how often a value is referred to, which is once.
   *
   * `OBJECT REFCOUNT`, since 2.2.3, O(1)
   */
  object_refcount(key: Value): number | null

  /**
   * Returns for how many seconds a key has not been accessed.
   *
   * `OBJECT IDLETIME`, since 2.2.3, O(1)
   */
  object_idletime(key: Value): number | null

  /**
   * Returns how often a key is accessed, on a logarithmic scale, under an LFU policy.
   *
   * `OBJECT FREQ`, since 4.0.0, O(1)
   */
  object_freq(key: Value): number | null

  /**
   * Returns what the subcommands of OBJECT do.
   *
   * `OBJECT HELP`, since 6.2.0, O(1)
   */
  object_help(): string[]

  /**
   * Returns how many keys the database has.
   *
   * `DBSIZE`, since 1.0.0, O(1)
   */
  dbsize(): number

  /**
   * Deletes every key of the database.
   *
   * `FLUSHDB`, since 1.0.0, O(N) where N is the number of keys in the database
   */
  flushdb(options?: { async?: boolean; sync?: boolean }): 'OK'

  /**
   * Deletes every key of every database.
   *
   * `FLUSHALL`, since 1.0.0, O(N) where N is the number of keys in all databases
   */
  flushall(options?: { async?: boolean; sync?: boolean }): 'OK'

  /**
   * Exchanges two databases for all clients.
   *
   * `SWAPDB`, since 4.0.0, O(1)
   */
  swapdb(index1: Numeric, index2: Numeric): 'OK'

  /**
   * Adds members at places to a sorted set, or moves them; returns how many are new.
   *
   * `GEOADD`, since 3.2.0, O(log(N)) for each item added, where N is the number of elements in the sorted set
   */
  geoadd(key: Value, places: readonly (readonly [Numeric, Numeric, Value])[], options?: { nx?: boolean; xx?: boolean; ch?: boolean }): number

  /**
   * Returns the longitude and latitude of members.
   *
   * `GEOPOS`, since 3.2.0, O(1) for each member requested
   */
  geopos(key: Value, ...members: [] | Some<Value>): ([number, number] | null)[]

  /**
   * Returns the geohashes of members as text.
   *
   * `GEOHASH`, since 3.2.0, O(1) for each member requested
   */
  geohash(key: Value, ...members: [] | Some<Value>): (Bytes | null)[]

  /**
   * Returns the distance between two members.
   *
   * `GEODIST`, since 3.2.0, O(1)
   */
  geodist(key: Value, member1: Value, member2: Value, options?: { m?: boolean; km?: boolean; ft?: boolean; mi?: boolean }): Bytes | null

  /**
   * Returns the members in a circle, a box or a polygon.
   *
   * `GEOSEARCH`, since 6.2.0, O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape
   */
  geosearch(key: Value, options: { frommember?: Value; fromlonlat?: [Numeric, Numeric]; byradius?: [Numeric, 'm' | 'km' | 'ft' | 'mi']; bybox?: [Numeric, Numeric, 'm' | 'km' | 'ft' | 'mi']; bypolygon?: readonly Value[]; asc?: boolean; desc?: boolean; count?: Numeric; any?: boolean; withcoord?: boolean; withdist?: boolean; withhash?: boolean }): Bytes[] | [Bytes, ...(Bytes | number | [number, number])[]][]

  /**
   * Stores the members in a circle, a box or a polygon as a sorted set; returns how many.
   *
   * `GEOSEARCHSTORE`, since 6.2.0, O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape
   */
  geosearchstore(destination: Value, source: Value, options: { frommember?: Value; fromlonlat?: [Numeric, Numeric]; byradius?: [Numeric, 'm' | 'km' | 'ft' | 'mi']; bybox?: [Numeric, Numeric, 'm' | 'km' | 'ft' | 'mi']; bypolygon?: readonly Value[]; asc?: boolean; desc?: boolean; count?: Numeric; any?: boolean; storedist?: boolean }): number

  /**
   * Returns or stores the members around a place.
   *
   * `GEORADIUS`, since 3.2.0, O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index
   */
  georadius(key: Value, longitude: Numeric, latitude: Numeric, radius: Numeric, unit: 'm' | 'km' | 'ft' | 'mi', options?: { withcoord?: boolean; withdist?: boolean; withhash?: boolean; count?: Numeric; any?: boolean; asc?: boolean; desc?: boolean; store?: Value; storedist?: Value }): Bytes[] | [Bytes, ...(Bytes | number | [number, number])[]][]

  /**
   * Returns the members around a place.
   *
   * `GEORADIUS_RO`, since 3.2.10, O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index
   */
  georadius_ro(key: Value, longitude: Numeric, latitude: Numeric, radius: Numeric, unit: 'm' | 'km' | 'ft' | 'mi', options?: { withcoord?: boolean; withdist?: boolean; withhash?: boolean; count?: Numeric; any?: boolean; asc?: boolean; desc?: boolean }): Bytes[] | [Bytes, ...(Bytes | number | [number, number])[]][]

  /**
   * Returns or stores the members around one of them.
   *
   * `GEORADIUSBYMEMBER`, since 3.2.0, O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index
   */
  georadiusbymember(key: Value, member: Value, radius: Numeric, unit: 'm' | 'km' | 'ft' | 'mi', options?: { withcoord?: boolean; withdist?: boolean; withhash?: boolean; count?: Numeric; any?: boolean; asc?: boolean; desc?: boolean; store?: Value; storedist?: Value }): Bytes[] | [Bytes, ...(Bytes | number | [number, number])[]][]

  /**
   * Returns the members around one of them.
   *
   * `GEORADIUSBYMEMBER_RO`, since 3.2.10, O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index
   */
  georadiusbymember_ro(key: Value, member: Value, radius: Numeric, unit: 'm' | 'km' | 'ft' | 'mi', options?: { withcoord?: boolean; withdist?: boolean; withhash?: boolean; count?: Numeric; any?: boolean; asc?: boolean; desc?: boolean }): Bytes[] | [Bytes, ...(Bytes | number | [number, number])[]][]

  /**
   * Sets fields of a hash, creating it when missing; returns how many are new.
   *
   * `HSET`, since 2.0.0, O(N) where N is the number of fields
   */
  hset(key: Value, pairs: Pairs<Value, Value>): number

  /**
   * Sets fields of a hash, creating it when missing; an older form of HSET.
   *
   * `HMSET`, since 2.0.0, O(N) where N is the number of fields
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
   * `HMGET`, since 2.0.0, O(N) where N is the number of fields
   */
  hmget(key: Value, ...fields: Some<Value>): (Bytes | null)[]

  /**
   * Returns all fields and their values.
   *
   * `HGETALL`, since 2.0.0, O(N) where N is the size of the hash
   */
  hgetall(key: Value): Record<string, Bytes>

  /**
   * Deletes fields; returns how many there were.
   *
   * `HDEL`, since 2.0.0, O(N) where N is the number of fields
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
   * `HKEYS`, since 2.0.0, O(N) where N is the size of the hash
   */
  hkeys(key: Value): Bytes[]

  /**
   * Returns all values.
   *
   * `HVALS`, since 2.0.0, O(N) where N is the size of the hash
   */
  hvals(key: Value): Bytes[]

  /**
   * Returns fields chosen by chance; a negative count may return one several times.
   *
   * `HRANDFIELD`, since 6.2.0, O(N) where N is the number of fields returned
   */
  hrandfield(key: Value, count?: Numeric, options?: { withvalues?: boolean }): Bytes | Bytes[] | [Bytes, Bytes][] | null

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
   * Has fields expire after some seconds; for each -2 if there is none, 0 if a condition is not met, 1 if set, 2 if deleted.
   *
   * `HEXPIRE`, since 7.4.0, O(N) where N is the number of fields
   */
  hexpire(key: Value, seconds: Numeric, fields: Names<Value>, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean }): number[]

  /**
   * Has fields expire after some milliseconds; for each -2 if there is none, 0 if a condition is not met, 1 if set, 2 if deleted.
   *
   * `HPEXPIRE`, since 7.4.0, O(N) where N is the number of fields
   */
  hpexpire(key: Value, milliseconds: Numeric, fields: Names<Value>, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean }): number[]

  /**
   * Has fields expire at a time in seconds since 1970; for each -2 if there is none, 0 if a condition is not met, 1 if set, 2 if deleted.
   *
   * `HEXPIREAT`, since 7.4.0, O(N) where N is the number of fields
   */
  hexpireat(key: Value, unixTimeSeconds: Numeric, fields: Names<Value>, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean }): number[]

  /**
   * Has fields expire at a time in milliseconds since 1970; for each -2 if there is none, 0 if a condition is not met, 1 if set, 2 if deleted.
   *
   * `HPEXPIREAT`, since 7.4.0, O(N) where N is the number of fields
   */
  hpexpireat(key: Value, unixTimeMilliseconds: Numeric, fields: Names<Value>, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean }): number[]

  /**
   * Returns for how many seconds each field still lives; -1 for ever, -2 if there is none.
   *
   * `HTTL`, since 7.4.0, O(N) where N is the number of fields
   */
  httl(key: Value, fields: Names<Value>): number[]

  /**
   * Returns for how many milliseconds each field still lives; -1 for ever, -2 if there is none.
   *
   * `HPTTL`, since 7.4.0, O(N) where N is the number of fields
   */
  hpttl(key: Value, fields: Names<Value>): number[]

  /**
   * Returns when each field expires, in seconds since 1970; -1 for never, -2 if there is none.
   *
   * `HEXPIRETIME`, since 7.4.0, O(N) where N is the number of fields
   */
  hexpiretime(key: Value, fields: Names<Value>): number[]

  /**
   * Returns when each field expires, in milliseconds since 1970; -1 for never, -2 if there is none.
   *
   * `HPEXPIRETIME`, since 7.4.0, O(N) where N is the number of fields
   */
  hpexpiretime(key: Value, fields: Names<Value>): number[]

  /**
   * Has fields live for ever; for each -2 if there is none, -1 if it did already, 1 otherwise.
   *
   * `HPERSIST`, since 7.4.0, O(N) where N is the number of fields
   */
  hpersist(key: Value, fields: Names<Value>): number[]

  /**
   * Returns the values of several fields, and may set or clear their deadlines.
   *
   * `HGETEX`, since 8.0.0, O(N) where N is the number of fields
   */
  hgetex(key: Value, fields: Names<Value>, options?: { ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; persist?: boolean }): (Bytes | null)[]

  /**
   * Returns the values of several fields, and deletes them.
   *
   * `HGETDEL`, since 8.0.0, O(N) where N is the number of fields
   */
  hgetdel(key: Value, fields: Names<Value>): (Bytes | null)[]

  /**
   * Sets fields with a deadline, perhaps only if all of them exist or none does; whether they are set.
   *
   * `HSETEX`, since 8.0.0, O(N) where N is the number of fields
   */
  hsetex(key: Value, fields: Pairs<Value, Value>, options?: { fnx?: boolean; fxx?: boolean; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): 0 | 1

  /**
   * Adds elements to a HyperLogLog, creating it when missing; returns whether its estimate may have changed.
   *
   * `PFADD`, since 2.8.9, O(1) to add every element
   */
  pfadd(key: Value, ...elements: [] | Some<Value>): 0 | 1

  /**
   * Returns about how many different elements were added to a HyperLogLog, or to several together.
   *
   * `PFCOUNT`, since 2.8.9, O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys
   */
  pfcount(...keys: Some<Value>): number

  /**
   * Merges HyperLogLogs into the first one, creating it when missing.
   *
   * `PFMERGE`, since 2.8.9, O(N) to merge N HyperLogLogs, but with high constant times
   */
  pfmerge(destkey: Value, ...sourcekeys: [] | Some<Value>): 'OK'

  /**
   * Shows how a HyperLogLog is kept: its registers, its runs, its form; or has it be dense.
   *
   * `PFDEBUG`, since 2.8.9, O(N) where N is the number of registers
   */
  pfdebug(subcommand: Value, key: Value): number[] | string | 0 | 1

  /**
   * Checks the counting itself.
   *
   * `PFSELFTEST`, since 2.8.9, O(1)
   */
  pfselftest(): 'OK'

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
   * `LPOP`, since 1.0.0, O(N) where N is the number of elements returned
   */
  lpop(key: Value): Bytes | null
  lpop(key: Value, count: Numeric): Bytes[] | null
  lpop(key: Value, count?: Numeric): Bytes | Bytes[] | null

  /**
   * Removes and returns the last elements of a list.
   *
   * `RPOP`, since 1.0.0, O(N) where N is the number of elements returned
   */
  rpop(key: Value): Bytes | null
  rpop(key: Value, count: Numeric): Bytes[] | null
  rpop(key: Value, count?: Numeric): Bytes | Bytes[] | null

  /**
   * Removes and returns elements from an end of the first of several lists that has any.
   *
   * `LMPOP`, since 7.0.0, O(N+M) where N is the number of keys and M the number of elements returned
   */
  lmpop(keys: Names<Value>, from: 'left' | 'right', options?: { count?: Numeric }): [Bytes, Bytes[]] | null

  /**
   * Returns the length of a list.
   *
   * `LLEN`, since 1.0.0, O(1)
   */
  llen(key: Value): number

  /**
   * Returns the elements between two positions, negative ones from the end.
   *
   * `LRANGE`, since 1.0.0, O(S+N) where S is the distance of start from the nearer end and N the number of elements
   */
  lrange(key: Value, start: Numeric, stop: Numeric): Bytes[]

  /**
   * Returns an element by its position, negative from the end.
   *
   * `LINDEX`, since 1.0.0, O(N) where N is the number of elements to traverse
   */
  lindex(key: Value, index: Value): Bytes | null

  /**
   * Replaces an element by its position, negative from the end.
   *
   * `LSET`, since 1.0.0, O(N) where N is the length of the list
   */
  lset(key: Value, index: Value, element: Value): 'OK'

  /**
   * Removes elements that are equal to one: the first count, the last -count, or all with 0; returns how many.
   *
   * `LREM`, since 1.0.0, O(N+M) where N is the length of the list and M the number of elements removed
   */
  lrem(key: Value, count: Numeric, element: Value): number

  /**
   * Keeps the elements between two positions and removes the others.
   *
   * `LTRIM`, since 1.0.0, O(N) where N is the number of elements removed
   */
  ltrim(key: Value, start: Numeric, stop: Numeric): 'OK'

  /**
   * Puts an element before or after another one; returns the length, or -1 when there is no such other.
   *
   * `LINSERT`, since 2.2.0, O(N) where N is the number of elements before the pivot
   */
  linsert(key: Value, place: 'before' | 'after', pivot: Value, element: Value): number

  /**
   * Returns the positions of elements that are equal to one.
   *
   * `LPOS`, since 6.0.6, O(N) where N is the number of elements
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
   * Returns some of the keys, and where to go on.
   *
   * `SCAN`, since 2.8.0, O(1) for every call, O(N) for all of them
   */
  scan(cursor: Numeric, options?: { match?: Value; count?: Numeric; type?: Value }): [cursor: string, items: Bytes[]]

  /**
   * Returns some of the fields with their values, and where to go on.
   *
   * `HSCAN`, since 2.8.0, O(1) for every call, O(N) for all of them
   */
  hscan(key: Value, cursor: Numeric, options?: { match?: Value; count?: Numeric; novalues?: boolean }): [cursor: string, items: Bytes[]]

  /**
   * Returns some of the members, and where to go on.
   *
   * `SSCAN`, since 2.8.0, O(1) for every call, O(N) for all of them
   */
  sscan(key: Value, cursor: Numeric, options?: { match?: Value; count?: Numeric }): [cursor: string, items: Bytes[]]

  /**
   * Returns some of the members with their scores, and where to go on.
   *
   * `ZSCAN`, since 2.8.0, O(1) for every call, O(N) for all of them
   */
  zscan(key: Value, cursor: Numeric, options?: { match?: Value; count?: Numeric }): [cursor: string, items: Bytes[]]

  /**
   * Adds members to a set, creating it when missing; returns how many are new.
   *
   * `SADD`, since 1.0.0, O(N) where N is the number of members
   */
  sadd(key: Value, ...members: Some<Value>): number

  /**
   * Removes members; returns how many there were.
   *
   * `SREM`, since 1.0.0, O(N) where N is the number of members
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
   * `SMISMEMBER`, since 6.2.0, O(N) where N is the number of members
   */
  smismember(key: Value, ...members: Some<Value>): (0 | 1)[]

  /**
   * Returns all members.
   *
   * `SMEMBERS`, since 1.0.0, O(N) where N is the size of the set
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
   * `SPOP`, since 1.0.0, O(N) where N is the number of members returned
   */
  spop(key: Value): Bytes | null
  spop(key: Value, count: Numeric): Bytes[] | null
  spop(key: Value, count?: Numeric): Bytes | Bytes[] | null

  /**
   * Returns members chosen by chance; a negative count may return one several times.
   *
   * `SRANDMEMBER`, since 1.0.0, O(N) where N is the number of members returned
   */
  srandmember(key: Value): Bytes | null
  srandmember(key: Value, count: Numeric): Bytes[] | null
  srandmember(key: Value, count?: Numeric): Bytes | Bytes[] | null

  /**
   * Returns the members that are in all of several sets.
   *
   * `SINTER`, since 1.0.0, O(N*M) where N is the size of the smallest set and M the number of sets
   */
  sinter(...keys: Some<Value>): Bytes[]

  /**
   * Returns the members that are in any of several sets.
   *
   * `SUNION`, since 1.0.0, O(N) where N is the size of all sets together
   */
  sunion(...keys: Some<Value>): Bytes[]

  /**
   * Returns the members of the first set that are in none of the others.
   *
   * `SDIFF`, since 1.0.0, O(N) where N is the size of all sets together
   */
  sdiff(...keys: Some<Value>): Bytes[]

  /**
   * Stores the members that are in all of several sets; returns how many.
   *
   * `SINTERSTORE`, since 1.0.0, O(N*M) where N is the size of the smallest set and M the number of sets
   */
  sinterstore(destination: Value, ...keys: Some<Value>): number

  /**
   * Stores the members that are in any of several sets; returns how many.
   *
   * `SUNIONSTORE`, since 1.0.0, O(N) where N is the size of all sets together
   */
  sunionstore(destination: Value, ...keys: Some<Value>): number

  /**
   * Stores the members of the first set that are in none of the others; returns how many.
   *
   * `SDIFFSTORE`, since 1.0.0, O(N) where N is the size of all sets together
   */
  sdiffstore(destination: Value, ...keys: Some<Value>): number

  /**
   * Returns how many members are in all of several sets, counting no further than a limit.
   *
   * `SINTERCARD`, since 7.0.0, O(N*M) where N is the size of the smallest set and M the number of sets
   */
  sintercard(keys: Names<Value>, options?: { limit?: Numeric }): number

  /**
   * Sorts the elements of a list, set or sorted set, by themselves or by other keys, and returns or stores them.
   *
   * `SORT`, since 1.0.0, O(N+M*log(M)) where N is the number of elements and M the number of elements returned
   */
  sort(key: Value, options?: { by?: Value; limit?: [Numeric, Numeric]; get?: Names<Value>; asc?: boolean; desc?: boolean; alpha?: boolean; store?: Value }): (Bytes | null)[] | number

  /**
   * Sorts the elements of a list, set or sorted set, by themselves or by other keys, and returns them.
   *
   * `SORT_RO`, since 7.0.0, O(N+M*log(M)) where N is the number of elements and M the number of elements returned
   */
  sort_ro(key: Value, options?: { by?: Value; limit?: [Numeric, Numeric]; get?: Names<Value>; asc?: boolean; desc?: boolean; alpha?: boolean }): (Bytes | null)[]

  /**
   * Adds members to a sorted set, or updates their scores; returns how many are new.
   *
   * `ZADD`, since 1.2.0, O(log(N)) for each member, where N is the size of the sorted set
   */
  zadd(key: Value, pairs: Members<Numeric, Value>, options?: { nx?: boolean; xx?: boolean; gt?: boolean; lt?: boolean; ch?: boolean; incr?: boolean }): number

  /**
   * Adds to the score of a member, which is 0 when missing.
   *
   * `ZINCRBY`, since 1.2.0, O(log(N)) where N is the size of the sorted set
   */
  zincrby(key: Value, increment: Numeric, member: Value): number

  /**
   * Removes members; returns how many there were.
   *
   * `ZREM`, since 1.2.0, O(M*log(N)) where N is the size of the sorted set and M the number of members
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
   * `ZMSCORE`, since 6.2.0, O(N) where N is the number of members
   */
  zmscore(key: Value, ...members: Some<Value>): (number | null)[]

  /**
   * Returns the number of members.
   *
   * `ZCARD`, since 1.2.0, O(1)
   */
  zcard(key: Value): number

  /**
   * Returns the rank of a member from the lowest score on.
   *
   * `ZRANK`, since 2.0.0, O(log(N)) where N is the size of the sorted set
   */
  zrank(key: Value, member: Value, options?: { withscore?: false }): number | null
  zrank(key: Value, member: Value, options: { withscore: true }): [number, number] | null
  zrank(key: Value, member: Value, options?: { withscore?: boolean }): number | [number, number] | null

  /**
   * Returns the rank of a member from the highest score on.
   *
   * `ZREVRANK`, since 2.0.0, O(log(N)) where N is the size of the sorted set
   */
  zrevrank(key: Value, member: Value, options?: { withscore?: false }): number | null
  zrevrank(key: Value, member: Value, options: { withscore: true }): [number, number] | null
  zrevrank(key: Value, member: Value, options?: { withscore?: boolean }): number | [number, number] | null

  /**
   * Returns members chosen by chance; a negative count may return one several times.
   *
   * `ZRANDMEMBER`, since 6.2.0, O(N*log(M)) where N is the number of members returned and M the size of the sorted set
   */
  zrandmember(key: Value, count?: Numeric, options?: { withscores?: boolean }): Bytes | Bytes[] | [Bytes, number][] | null

  /**
   * Removes and returns the members with the lowest scores.
   *
   * `ZPOPMIN`, since 5.0.0, O(log(N)*M) where N is the size of the sorted set and M the number of members returned
   */
  zpopmin(key: Value): [Bytes, number] | []
  zpopmin(key: Value, count: Numeric): [Bytes, number][]
  zpopmin(key: Value, count?: Numeric): [Bytes, number] | [Bytes, number][] | []

  /**
   * Removes and returns the members with the highest scores.
   *
   * `ZPOPMAX`, since 5.0.0, O(log(N)*M) where N is the size of the sorted set and M the number of members returned
   */
  zpopmax(key: Value): [Bytes, number] | []
  zpopmax(key: Value, count: Numeric): [Bytes, number][]
  zpopmax(key: Value, count?: Numeric): [Bytes, number] | [Bytes, number][] | []

  /**
   * Removes and returns the members with the lowest or highest scores of the first of several sorted sets that has some.
   *
   * `ZMPOP`, since 7.0.0, O(K) + O(M*log(N)) where K is the number of keys, N the size of the sorted set and M the number of members returned
   */
  zmpop(keys: Names<Value>, end: 'min' | 'max', options?: { count?: Numeric }): [Bytes, [Bytes, number][]] | null

  /**
   * Returns the number of members with scores in a range.
   *
   * `ZCOUNT`, since 2.0.0, O(log(N)) where N is the size of the sorted set
   */
  zcount(key: Value, min: Numeric, max: Numeric): number

  /**
   * Returns the number of members in a range of their own, when all have the same score.
   *
   * `ZLEXCOUNT`, since 2.8.9, O(log(N)) where N is the size of the sorted set
   */
  zlexcount(key: Value, min: Value, max: Value): number

  /**
   * Returns the members between two ranks, or in a range of scores or of members.
   *
   * `ZRANGE`, since 1.2.0, O(log(N)+M) where N is the size of the sorted set and M the number of members returned
   */
  zrange(key: Value, start: Value, stop: Value, options?: { byscore?: boolean; bylex?: boolean; rev?: boolean; limit?: [Numeric, Numeric]; withscores?: false }): Bytes[]
  zrange(key: Value, start: Value, stop: Value, options: { byscore?: boolean; bylex?: boolean; rev?: boolean; limit?: [Numeric, Numeric]; withscores: true }): [Bytes, number][]
  zrange(key: Value, start: Value, stop: Value, options?: { byscore?: boolean; bylex?: boolean; rev?: boolean; limit?: [Numeric, Numeric]; withscores?: boolean }): Bytes[] | [Bytes, number][]

  /**
   * Returns the members between two ranks from the highest score on.
   *
   * `ZREVRANGE`, since 1.2.0, O(log(N)+M) where N is the size of the sorted set and M the number of members returned
   */
  zrevrange(key: Value, start: Numeric, stop: Numeric, options?: { withscores?: false }): Bytes[]
  zrevrange(key: Value, start: Numeric, stop: Numeric, options: { withscores: true }): [Bytes, number][]
  zrevrange(key: Value, start: Numeric, stop: Numeric, options?: { withscores?: boolean }): Bytes[] | [Bytes, number][]

  /**
   * Returns the members with scores in a range.
   *
   * `ZRANGEBYSCORE`, since 1.0.5, O(log(N)+M) where N is the size of the sorted set and M the number of members returned
   */
  zrangebyscore(key: Value, min: Numeric, max: Numeric, options?: { withscores?: false; limit?: [Numeric, Numeric] }): Bytes[]
  zrangebyscore(key: Value, min: Numeric, max: Numeric, options: { withscores: true; limit?: [Numeric, Numeric] }): [Bytes, number][]
  zrangebyscore(key: Value, min: Numeric, max: Numeric, options?: { withscores?: boolean; limit?: [Numeric, Numeric] }): Bytes[] | [Bytes, number][]

  /**
   * Returns the members with scores in a range from the highest score on.
   *
   * `ZREVRANGEBYSCORE`, since 2.2.0, O(log(N)+M) where N is the size of the sorted set and M the number of members returned
   */
  zrevrangebyscore(key: Value, max: Numeric, min: Numeric, options?: { withscores?: false; limit?: [Numeric, Numeric] }): Bytes[]
  zrevrangebyscore(key: Value, max: Numeric, min: Numeric, options: { withscores: true; limit?: [Numeric, Numeric] }): [Bytes, number][]
  zrevrangebyscore(key: Value, max: Numeric, min: Numeric, options?: { withscores?: boolean; limit?: [Numeric, Numeric] }): Bytes[] | [Bytes, number][]

  /**
   * Returns the members in a range of their own, when all have the same score.
   *
   * `ZRANGEBYLEX`, since 2.8.9, O(log(N)+M) where N is the size of the sorted set and M the number of members returned
   */
  zrangebylex(key: Value, min: Value, max: Value, options?: { limit?: [Numeric, Numeric] }): Bytes[]

  /**
   * Returns the members in a range of their own from the last one on, when all have the same score.
   *
   * `ZREVRANGEBYLEX`, since 2.8.9, O(log(N)+M) where N is the size of the sorted set and M the number of members returned
   */
  zrevrangebylex(key: Value, max: Value, min: Value, options?: { limit?: [Numeric, Numeric] }): Bytes[]

  /**
   * Stores the members between two ranks, or in a range of scores or of members, as a sorted set; returns how many.
   *
   * `ZRANGESTORE`, since 6.2.0, O(log(N)+M) where N is the size of the sorted set and M the number of members stored
   */
  zrangestore(destination: Value, source: Value, min: Value, max: Value, options?: { byscore?: boolean; bylex?: boolean; rev?: boolean; limit?: [Numeric, Numeric] }): number

  /**
   * Removes the members between two ranks; returns how many there were.
   *
   * `ZREMRANGEBYRANK`, since 2.0.0, O(log(N)+M) where N is the size of the sorted set and M the number of members removed
   */
  zremrangebyrank(key: Value, start: Numeric, stop: Numeric): number

  /**
   * Removes the members with scores in a range; returns how many there were.
   *
   * `ZREMRANGEBYSCORE`, since 1.2.0, O(log(N)+M) where N is the size of the sorted set and M the number of members removed
   */
  zremrangebyscore(key: Value, min: Numeric, max: Numeric): number

  /**
   * Removes the members in a range of their own, when all have the same score; returns how many there were.
   *
   * `ZREMRANGEBYLEX`, since 2.8.9, O(log(N)+M) where N is the size of the sorted set and M the number of members removed
   */
  zremrangebylex(key: Value, min: Value, max: Value): number

  /**
   * Returns the members that are in any of several sorted sets.
   *
   * `ZUNION`, since 6.2.0, O(N) + O(M*log(M)) where N is the size of all sorted sets together and M that of the result
   */
  zunion(keys: Names<Value>, options?: { weights?: Names<Numeric>; aggregate?: 'sum' | 'min' | 'max' | 'count'; withscores?: false }): Bytes[]
  zunion(keys: Names<Value>, options: { weights?: Names<Numeric>; aggregate?: 'sum' | 'min' | 'max' | 'count'; withscores: true }): [Bytes, number][]
  zunion(keys: Names<Value>, options?: { weights?: Names<Numeric>; aggregate?: 'sum' | 'min' | 'max' | 'count'; withscores?: boolean }): Bytes[] | [Bytes, number][]

  /**
   * Stores the members that are in any of several sorted sets as a sorted set; returns how many.
   *
   * `ZUNIONSTORE`, since 2.0.0, O(N) + O(M*log(M)) where N is the size of all sorted sets together and M that of the result
   */
  zunionstore(destination: Value, keys: Names<Value>, options?: { weights?: Names<Numeric>; aggregate?: 'sum' | 'min' | 'max' | 'count' }): number

  /**
   * Returns the members that are in all of several sorted sets.
   *
   * `ZINTER`, since 6.2.0, O(N*K) + O(M*log(M)) where N is the size of the smallest sorted set, K the number of sorted sets and M the size of the result
   */
  zinter(keys: Names<Value>, options?: { weights?: Names<Numeric>; aggregate?: 'sum' | 'min' | 'max' | 'count'; withscores?: false }): Bytes[]
  zinter(keys: Names<Value>, options: { weights?: Names<Numeric>; aggregate?: 'sum' | 'min' | 'max' | 'count'; withscores: true }): [Bytes, number][]
  zinter(keys: Names<Value>, options?: { weights?: Names<Numeric>; aggregate?: 'sum' | 'min' | 'max' | 'count'; withscores?: boolean }): Bytes[] | [Bytes, number][]

  /**
   * Stores the members that are in all of several sorted sets as a sorted set; returns how many.
   *
   * `ZINTERSTORE`, since 2.0.0, O(N*K) + O(M*log(M)) where N is the size of the smallest sorted set, K the number of sorted sets and M the size of the result
   */
  zinterstore(destination: Value, keys: Names<Value>, options?: { weights?: Names<Numeric>; aggregate?: 'sum' | 'min' | 'max' | 'count' }): number

  /**
   * Returns the number of members that are in all of several sorted sets.
   *
   * `ZINTERCARD`, since 7.0.0, O(N*K) where N is the size of the smallest sorted set and K the number of sorted sets
   */
  zintercard(keys: Names<Value>, options?: { limit?: Numeric }): number

  /**
   * Returns the members of the first sorted set that are in none of the others.
   *
   * `ZDIFF`, since 6.2.0, O(N*K + M*log(M)) where N is the size of the first sorted set, K the number of sorted sets and M the size of the result
   */
  zdiff(keys: Names<Value>, options?: { withscores?: false }): Bytes[]
  zdiff(keys: Names<Value>, options: { withscores: true }): [Bytes, number][]
  zdiff(keys: Names<Value>, options?: { withscores?: boolean }): Bytes[] | [Bytes, number][]

  /**
   * Stores the members of the first sorted set that are in none of the others as a sorted set; returns how many.
   *
   * `ZDIFFSTORE`, since 6.2.0, O(N*K + M*log(M)) where N is the size of the first sorted set, K the number of sorted sets and M the size of the result
   */
  zdiffstore(destination: Value, keys: Names<Value>): number

  /**
   * Appends an entry to a stream, creating it when missing; returns the entry's ID.
   *
   * `XADD`, since 5.0.0, O(1) when adding, O(N) when trimming where N is the number of entries evicted
   */
  xadd(key: Value, id: Value, fields: Pairs<Value, Value>, options?: { nomkstream?: boolean; maxlen?: Numeric | ['=' | '~', Numeric]; minid?: Value | ['=' | '~', Value]; limit?: Numeric; keepref?: boolean; delref?: boolean; acked?: boolean }): string | null

  /**
   * Returns the number of entries.
   *
   * `XLEN`, since 5.0.0, O(1)
   */
  xlen(key: Value): number

  /**
   * Returns the entries between two IDs.
   *
   * `XRANGE`, since 5.0.0, O(N) where N is the number of entries returned
   */
  xrange(key: Value, start: Value, end: Value, options?: { count?: Numeric }): [string, Bytes[]][] | null

  /**
   * Returns the entries between two IDs from the last on.
   *
   * `XREVRANGE`, since 5.0.0, O(N) where N is the number of entries returned
   */
  xrevrange(key: Value, end: Value, start: Value, options?: { count?: Numeric }): [string, Bytes[]][] | null

  /**
   * Deletes entries; returns how many there were.
   *
   * `XDEL`, since 5.0.0, O(1) for each entry
   */
  xdel(key: Value, ...ids: Some<Value>): number

  /**
   * Removes the oldest entries down to a length or an ID; returns how many.
   *
   * `XTRIM`, since 5.0.0, O(N) where N is the number of entries removed
   */
  xtrim(key: Value, options: { maxlen?: Numeric | ['=' | '~', Numeric]; minid?: Value | ['=' | '~', Value]; limit?: Numeric; keepref?: boolean; delref?: boolean; acked?: boolean }): number

  /**
   * Deletes entries as far as groups refer to them or not; returns for each what became of it: 1 deleted, 2 kept because a group needs it, -1 not there.
   *
   * `XDELEX`, since 8.2.0, O(1) for each entry
   */
  xdelex(key: Value, ...request: Some<Value>): number[]

  /**
   * Sets the last ID of a stream, and what it remembers of deleted entries.
   *
   * `XSETID`, since 5.0.0, O(1)
   */
  xsetid(key: Value, id: Value, options?: { entriesadded?: Numeric; maxdeletedid?: Value }): 'OK'

  /**
   * Hands pending entries over to a consumer.
   *
   * `XCLAIM`, since 5.0.0, O(log N) where N is the number of pending entries
   */
  xclaim(key: Value, group: Value, consumer: Value, minIdleTime: Numeric, ids: Names<Value>, options?: { idle?: Numeric; time?: Numeric; retrycount?: Numeric; force?: boolean; justid?: boolean; lastid?: Value }): [string, Bytes[]][] | string[]

  /**
   * Hands entries over to a consumer that have been pending for long.
   *
   * `XAUTOCLAIM`, since 6.2.0, O(1) if COUNT is small
   */
  xautoclaim(key: Value, group: Value, consumer: Value, minIdleTime: Numeric, start: Value, options?: { count?: Numeric; justid?: boolean }): [string, [string, Bytes[]][] | string[], string[]]

  /**
   * Creates a group that reads a stream from an ID on, `$` for what is yet to come.
   *
   * `XGROUP CREATE`, since 5.0.0, O(1)
   */
  xgroup_create(key: Value, group: Value, id: Value, options?: { mkstream?: boolean; entriesread?: Numeric }): 'OK'

  /**
   * Sets the ID that a group reads on from.
   *
   * `XGROUP SETID`, since 5.0.0, O(1)
   */
  xgroup_setid(key: Value, group: Value, id: Value, options?: { entriesread?: Numeric }): 'OK'

  /**
   * Removes a group.
   *
   * `XGROUP DESTROY`, since 5.0.0, O(N) where N is the number of pending entries
   */
  xgroup_destroy(key: Value, group: Value): 0 | 1

  /**
   * Creates a consumer in a group; returns whether it is new.
   *
   * `XGROUP CREATECONSUMER`, since 6.2.0, O(1)
   */
  xgroup_createconsumer(key: Value, group: Value, consumer: Value): 0 | 1

  /**
   * Removes a consumer from a group; returns how many entries were pending for it.
   *
   * `XGROUP DELCONSUMER`, since 5.0.0, O(N) where N is the number of pending entries
   */
  xgroup_delconsumer(key: Value, group: Value, consumer: Value): number

  /**
   * Lists the subcommands of XGROUP.
   *
   * `XGROUP HELP`, since 5.0.0, O(1)
   */
  xgroup_help(): string[]

  /**
   * Notes that a group is done with entries; returns how many were pending.
   *
   * `XACK`, since 5.0.0, O(1) for each entry
   */
  xack(key: Value, group: Value, ...ids: Some<Value>): number

  /**
   * Notes that a group is done with entries and deletes them as far as other groups allow it; returns for each what became of it: 1 deleted, 2 kept because a group needs it, -1 not pending.
   *
   * `XACKDEL`, since 8.2.0, O(1) for each entry
   */
  xackdel(key: Value, group: Value, ...request: Some<Value>): number[]

  /**
   * Returns how much is pending in a group, or what.
   *
   * `XPENDING`, since 5.0.0, O(N) where N is the number of entries returned
   */
  xpending(key: Value, group: Value, start?: Value, end?: Value, count?: Numeric, range?: Value, options?: { idle?: Numeric }): [number, string | null, string | null, [Bytes, Bytes][] | null] | [string, Bytes, number, number][]

  /**
   * Describes a stream; with FULL also its entries, groups and consumers.
   *
   * `XINFO STREAM`, since 5.0.0, O(1)
   */
  xinfo_stream(key: Value, options?: { full?: []; count?: Numeric }): Record<string, unknown>

  /**
   * Describes the groups of a stream.
   *
   * `XINFO GROUPS`, since 5.0.0, O(1)
   */
  xinfo_groups(key: Value): Record<string, unknown>[]

  /**
   * Describes the consumers of a group.
   *
   * `XINFO CONSUMERS`, since 5.0.0, O(1)
   */
  xinfo_consumers(key: Value, group: Value): Record<string, unknown>[]

  /**
   * Lists the subcommands of XINFO.
   *
   * `XINFO HELP`, since 5.0.0, O(1)
   */
  xinfo_help(): string[]

  /**
   * Returns the entries of several streams that came after an ID of each.
   *
   * `XREAD`, since 5.0.0, O(N) where N is the number of entries returned
   */
  xread(streams: Streams, options: { count?: Numeric; block: Numeric; signal?: AbortSignal }): Promise<Record<string, [string, Bytes[]][]> | null>
  xread(streams: Streams, options?: { count?: Numeric; block?: undefined }): Record<string, [string, Bytes[]][]> | null

  /**
   * Returns the entries of several streams that are new to a group, or those that a consumer has not acknowledged.
   *
   * `XREADGROUP`, since 5.0.0, O(N) where N is the number of entries returned
   */
  xreadgroup(streams: Streams, options: { group?: [Value, Value]; count?: Numeric; block: Numeric; signal?: AbortSignal; noack?: boolean }): Promise<Record<string, [string, Bytes[] | null][]> | null>
  xreadgroup(streams: Streams, options: { group?: [Value, Value]; count?: Numeric; block?: undefined; noack?: boolean }): Record<string, [string, Bytes[] | null][]> | null

  /**
   * Sets a key to a text, whatever it held; optionally only when it exists or does not, with a time to live.
   *
   * `SET`, since 1.0.0, O(1)
   */
  set(key: Value, value: Value, options?: { nx?: boolean; xx?: boolean; ifeq?: Value; ifne?: Value; ifdeq?: Value; ifdne?: Value; get?: false; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): 'OK' | null
  set(key: Value, value: Value, options: { nx?: boolean; xx?: boolean; ifeq?: Value; ifne?: Value; ifdeq?: Value; ifdne?: Value; get: true; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): Bytes | null
  set(key: Value, value: Value, options?: { nx?: boolean; xx?: boolean; ifeq?: Value; ifne?: Value; ifdeq?: Value; ifdne?: Value; get?: boolean; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): 'OK' | Bytes | null

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
   * Deletes a key, optionally only when its text or the digest of it is or is not what is given.
   *
   * `DELEX`, since 8.4.0, O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE where N is the length of the string value
   */
  delex(key: Value, options?: { ifeq?: Value; ifne?: Value; ifdeq?: Value; ifdne?: Value }): 0 | 1

  /**
   * Deletes a key when this is its text.
   *
   * `DELIFEQ`, since 9.0.0, O(1)
   */
  delifeq(key: Value, value: Value): 0 | 1

  /**
   * Returns the digest of a text: its XXH3 in 16 hexadecimal digits.
   *
   * `DIGEST`, since 8.4.0, O(N) where N is the length of the string value
   */
  digest(key: Value): Bytes | null

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
   * `MSET`, since 1.0.1, O(N) where N is the number of keys to set
   */
  mset(pairs: Pairs<Value, Value>): 'OK'

  /**
   * Sets several keys when none of them exists.
   *
   * `MSETNX`, since 1.0.1, O(N) where N is the number of keys to set
   */
  msetnx(pairs: Pairs<Value, Value>): 0 | 1

  /**
   * Sets several keys with one time to live; optionally only when all of them exist or none does.
   *
   * `MSETEX`, since 8.4.0, O(N) where N is the number of keys to set
   */
  msetex(pairs: Pairs<Value, Value>, options?: { nx?: boolean; xx?: boolean; ex?: Numeric; px?: Numeric; exat?: Numeric; pxat?: Numeric; keepttl?: boolean }): 0 | 1

  /**
   * Returns the texts of several keys.
   *
   * `MGET`, since 1.0.0, O(N) where N is the number of keys to retrieve
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
   * `GETRANGE`, since 2.4.0, O(N) where N is the length of the returned string
   */
  getrange(key: Value, start: Numeric, end: Numeric): Bytes

  /**
   * Returns a part of a text; an older name of GETRANGE.
   *
   * `SUBSTR`, since 1.0.0, O(N) where N is the length of the returned string
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
   * Returns the longest text that can be made of two texts by leaving out bytes, or its length, or where it stands.
   *
   * `LCS`, since 7.0.0, O(N*M) where N and M are the lengths of s1 and s2, respectively
   */
  lcs(key1: Value, key2: Value, options?: { len?: boolean; idx?: boolean; minmatchlen?: Numeric; withmatchlen?: boolean }): Bytes | number | { matches: number[][][]; len: number }

  /**
   * Lists the categories of commands, or the commands of one.
   *
   * `ACL CAT`, since 6.0.0, O(1) since the categories and commands are a fixed set
   */
  acl_cat(category?: Value): Bytes[]

  /**
   * Deletes users, and closes their connections; returns how many there were.
   *
   * `ACL DELUSER`, since 6.0.0, O(1) amortized time considering the typical user
   */
  acl_deluser(...usernames: Some<Value>): number

  /**
   * Tells whether a user may run a command, without running it.
   *
   * `ACL DRYRUN`, since 7.0.0, O(1)
   */
  acl_dryrun(username: Value, ...command: Some<Value>): Bytes

  /**
   * Makes up a password.
   *
   * `ACL GENPASS`, since 6.0.0, O(1)
   */
  acl_genpass(bits?: Numeric): Bytes

  /**
   * Returns the rules of a user.
   *
   * `ACL GETUSER`, since 6.0.0, O(N) where N is the number of password, command and pattern rules that the user has
   */
  acl_getuser(username: Value): Record<string, unknown> | null

  /**
   * Lists the subcommands.
   *
   * `ACL HELP`, since 6.0.0, O(1)
   */
  acl_help(): string[]

  /**
   * Lists the users, each as a line of the ACL file.
   *
   * `ACL LIST`, since 6.0.0, O(N) where N is the number of configured users
   */
  acl_list(): Bytes[]

  /**
   * Reads the users from the ACL file.
   *
   * `ACL LOAD`, since 6.0.0, O(N) where N is the number of configured users
   */
  acl_load(): 'OK'

  /**
   * Lists who was refused what lately, or forgets it.
   *
   * `ACL LOG`, since 6.0.0, O(N) with N being the number of entries shown
   */
  acl_log(operation?: 'reset' | Numeric): Record<string, unknown>[] | 'OK'

  /**
   * Writes the users to the ACL file.
   *
   * `ACL SAVE`, since 6.0.0, O(N) where N is the number of configured users
   */
  acl_save(): 'OK'

  /**
   * Changes the rules of a user, who is made when there is none.
   *
   * `ACL SETUSER`, since 6.0.0, O(N) where N is the number of rules provided
   */
  acl_setuser(username: Value, ...rules: [] | Some<Value>): 'OK'

  /**
   * Lists the names of the users.
   *
   * `ACL USERS`, since 6.0.0, O(N) where N is the number of configured users
   */
  acl_users(): Bytes[]

  /**
   * Returns the name of the user of this connection.
   *
   * `ACL WHOAMI`, since 6.0.0, O(1)
   */
  acl_whoami(): Bytes

  /**
   * Writes the append-only file anew between commands, as short as it can be.
   *
   * `BGREWRITEAOF`, since 1.0.0, O(1)
   */
  bgrewriteaof(): string

  /**
   * Waits until the changes of this connection are on disks; returns on how many, here and on replicas.
   *
   * `WAITAOF`, since 7.2.0, O(1)
   */
  waitaof(numlocal: Numeric, numreplicas: Numeric, timeout: Numeric): number[]

  /**
   * Lets the next command go to a slot that is moving here.
   *
   * `ASKING`, since 3.0.0, O(1)
   */
  asking(): 'OK'

  /**
   * Lists the subcommands.
   *
   * `CLUSTER HELP`, since 5.0.0, O(1)
   */
  cluster_help(): 'OK'

  /**
   * Returns the state of the cluster.
   *
   * `CLUSTER INFO`, since 3.0.0, O(1)
   */
  cluster_info(): 'OK'

  /**
   * Returns the slot of a key.
   *
   * `CLUSTER KEYSLOT`, since 3.0.0, O(N) where N is the number of bytes in the key
   */
  cluster_keyslot(key: Value): 'OK'

  /**
   * Returns the connections between the servers.
   *
   * `CLUSTER LINKS`, since 7.0.0, O(N) where N is the total number of Cluster nodes
   */
  cluster_links(): 'OK'

  /**
   * Returns the number of this server.
   *
   * `CLUSTER MYID`, since 3.0.0, O(1)
   */
  cluster_myid(): 'OK'

  /**
   * Returns the number of the shard of this server.
   *
   * `CLUSTER MYSHARDID`, since 7.2.0, O(1)
   */
  cluster_myshardid(): 'OK'

  /**
   * Returns the servers as their configuration files list them.
   *
   * `CLUSTER NODES`, since 3.0.0, O(N) where N is the total number of Cluster nodes
   */
  cluster_nodes(): 'OK'

  /**
   * Returns the slots by shards.
   *
   * `CLUSTER SHARDS`, since 7.0.0, O(N) where N is the total number of cluster nodes
   */
  cluster_shards(): 'OK'

  /**
   * Returns the slots by servers.
   *
   * `CLUSTER SLOTS`, since 3.0.0, O(N) where N is the total number of Cluster nodes
   */
  cluster_slots(): 'OK'

  /**
   * Lets this connection read from a replica.
   *
   * `READONLY`, since 3.0.0, O(1)
   */
  readonly(): 'OK'

  /**
   * Lets this connection read from a primary alone.
   *
   * `READWRITE`, since 3.0.0, O(1)
   */
  readwrite(): 'OK'

  /**
   * Returns the last commands that took long, or whose requests or replies were long.
   *
   * `COMMANDLOG GET`, since 8.1.0, O(N) where N is the number of entries returned
   */
  commandlog_get(count: Numeric, log: 'slow' | 'large-request' | 'large-reply'): [id: number, time: number, took: number, words: Bytes[], address: string, name: string][]

  /**
   * Lists the subcommands.
   *
   * `COMMANDLOG HELP`, since 8.1.0, O(1)
   */
  commandlog_help(): string[]

  /**
   * Returns how many commands a log holds.
   *
   * `COMMANDLOG LEN`, since 8.1.0, O(1)
   */
  commandlog_len(log: 'slow' | 'large-request' | 'large-reply'): number

  /**
   * Empties a log.
   *
   * `COMMANDLOG RESET`, since 8.1.0, O(N) where N is the number of entries in the commandlog
   */
  commandlog_reset(log: 'slow' | 'large-request' | 'large-reply'): 'OK'

  /**
   * Returns the directives whose names match, and their values.
   *
   * `CONFIG GET`, since 2.0.0, O(N) when N is the number of configuration parameters provided
   */
  config_get(...patterns: Some<Value>): Record<string, Bytes>

  /**
   * Changes directives, all or none.
   *
   * `CONFIG SET`, since 2.0.0, O(N) when N is the number of configuration parameters provided
   */
  config_set(settings: Pairs<Value, Value>): 'OK'

  /**
   * Sets the counters of INFO to zero.
   *
   * `CONFIG RESETSTAT`, since 2.0.0, O(1)
   */
  config_resetstat(): 'OK'

  /**
   * Writes the configuration to the file it was read from.
   *
   * `CONFIG REWRITE`, since 2.8.0, O(1)
   */
  config_rewrite(): 'OK'

  /**
   * Lists the subcommands.
   *
   * `CONFIG HELP`, since 5.0.0, O(1)
   */
  config_help(): string[]

  /**
   * Answers PONG, or the message.
   *
   * `PING`, since 1.0.0, O(1)
   */
  ping(message?: Value): Bytes

  /**
   * Answers the message.
   *
   * `ECHO`, since 1.0.0, O(1)
   */
  echo(message: Value): Bytes

  /**
   * Closes the connection.
   *
   * `QUIT`, since 1.0.0, O(1)
   */
  quit(...ignored: [] | Some<Value>): 'OK'

  /**
   * Makes the connection as if it were new.
   *
   * `RESET`, since 6.2.0, O(1)
   */
  reset(): unknown

  /**
   * Works on another database from now on.
   *
   * `SELECT`, since 1.0.0, O(1)
   */
  select(db: Numeric): 'OK'

  /**
   * Tells who the client is.
   *
   * `AUTH`, since 1.0.0, O(N) where N is the number of passwords defined for the user
   */
  auth(...credentials: Some<Value>): 'OK'

  /**
   * Chooses the protocol, and tells about the server.
   *
   * `HELLO`, since 6.0.0, O(1)
   */
  hello(protover?: Numeric, options?: { auth?: [Value, Value]; setname?: Value }): Record<string, unknown>

  /**
   * Returns the number of this connection.
   *
   * `CLIENT ID`, since 5.0.0, O(1)
   */
  client_id(): number

  /**
   * Returns the name of this connection.
   *
   * `CLIENT GETNAME`, since 2.6.9, O(1)
   */
  client_getname(): Bytes | null

  /**
   * Names this connection.
   *
   * `CLIENT SETNAME`, since 2.6.9, O(1)
   */
  client_setname(name: Value): 'OK'

  /**
   * Tells which library the client uses.
   *
   * `CLIENT SETINFO`, since 7.2.0, O(1)
   */
  client_setinfo(attribute: Value, value: Value): 'OK'

  /**
   * Returns what is known of this connection.
   *
   * `CLIENT INFO`, since 6.2.0, O(1)
   */
  client_info(): string

  /**
   * Returns what is known of the connections, a line each.
   *
   * `CLIENT LIST`, since 2.4.0, O(N) where N is the number of client connections
   */
  client_list(options?: { type?: 'normal' | 'master' | 'replica' | 'pubsub'; id?: Names<Numeric> }): string

  /**
   * Closes connections, by address or by what CLIENT LIST shows of them.
   *
   * `CLIENT KILL`, since 2.4.0, O(N) where N is the number of client connections
   */
  client_kill(...which: Value[]): 'OK' | number

  /**
   * Turns replies on, off, or off for the next command.
   *
   * `CLIENT REPLY`, since 3.2.0, O(1)
   */
  client_reply(mode: 'on' | 'off' | 'skip'): 'OK' | undefined

  /**
   * Spares this connection when the memory for clients runs out.
   *
   * `CLIENT NO-EVICT`, since 7.0.0, O(1)
   */
  client_no_evict(enabled: 'on' | 'off'): 'OK'

  /**
   * Has this connection's commands leave the access times of keys alone.
   *
   * `CLIENT NO-TOUCH`, since 7.2.0, O(1)
   */
  client_no_touch(enabled: 'on' | 'off'): 'OK'

  /**
   * Returns what the subcommands of CLIENT do.
   *
   * `CLIENT HELP`, since 5.0.0, O(1)
   */
  client_help(): string[]

  /**
   * Shows what is inside, or forces it, for tests.
   *
   * `DEBUG`, since 1.0.0, O(N) where N is what the subcommand looks at
   */
  debug(...subcommand: Some<Value>): unknown

  /**
   * Calls a function.
   *
   * `FCALL`, since 7.0.0, O(depends on the function that is executed)
   */
  fcall(function_: Value, keys: Names<Value>, ...args: [] | Some<Value>): unknown

  /**
   * Calls a function that changes nothing.
   *
   * `FCALL_RO`, since 7.0.0, O(depends on the function that is executed)
   */
  fcall_ro(function_: Value, keys: Names<Value>, ...args: [] | Some<Value>): unknown

  /**
   * Deletes a library and its functions.
   *
   * `FUNCTION DELETE`, since 7.0.0, O(1)
   */
  function_delete(libraryName: Value): 'OK'

  /**
   * Returns all libraries as bytes that FUNCTION RESTORE takes, here and elsewhere.
   *
   * `FUNCTION DUMP`, since 7.0.0, O(N) where N is the number of functions
   */
  function_dump(): Bytes

  /**
   * Deletes all libraries of functions.
   *
   * `FUNCTION FLUSH`, since 7.0.0, O(N) where N is the number of functions deleted
   */
  function_flush(options?: { async?: boolean; sync?: boolean }): 'OK'

  /**
   * Lists the subcommands.
   *
   * `FUNCTION HELP`, since 7.0.0, O(1)
   */
  function_help(): string[]

  /**
   * Ends the function that runs.
   *
   * `FUNCTION KILL`, since 7.0.0, O(1)
   */
  function_kill(): 'OK'

  /**
   * Lists the libraries of functions.
   *
   * `FUNCTION LIST`, since 7.0.0, O(N) where N is the number of functions
   */
  function_list(options?: { libraryname?: Value; withcode?: boolean }): unknown

  /**
   * Loads a library, and returns its name.
   *
   * `FUNCTION LOAD`, since 7.0.0, O(1) (considering compilation time is redundant)
   */
  function_load(...library: Some<Value>): Bytes

  /**
   * Loads the libraries that FUNCTION DUMP returned, here or elsewhere.
   *
   * `FUNCTION RESTORE`, since 7.0.0, O(N) where N is the number of functions on the payload
   */
  function_restore(serializedValue: Value, options?: { flush?: boolean; append?: boolean; replace?: boolean }): 'OK'

  /**
   * Tells which function runs, and how many there are.
   *
   * `FUNCTION STATS`, since 7.0.0, O(1)
   */
  function_stats(): unknown

  /**
   * Tells about the server: all that is usual, or the sections named.
   *
   * `INFO`, since 1.0.0, O(1)
   */
  info(...sections: [] | Some<Value>): string

  /**
   * Returns the time in Unix seconds, and the microseconds of this second.
   *
   * `TIME`, since 2.6.0, O(1)
   */
  time(): [seconds: string, microseconds: string]

  /**
   * Draws something, and names the version.
   *
   * `LOLWUT`, since 5.0.0, O(1)
   */
  lolwut(...options: [] | Some<Value>): string

  /**
   * Describes every command.
   *
   * `COMMAND`, since 2.8.13, O(N) where N is the total number of Redis commands
   */
  command(...Words: [] | Some<Value>): unknown

  /**
   * Returns how many commands there are.
   *
   * `COMMAND COUNT`, since 2.8.13, O(1)
   */
  command_count(): number

  /**
   * Returns what is known of the arguments, history and cost of commands.
   *
   * `COMMAND DOCS`, since 7.0.0, O(N) where N is the number of commands to look up
   */
  command_docs(...commandNames: [] | Some<Value>): unknown

  /**
   * Returns the keys of a request without running it.
   *
   * `COMMAND GETKEYS`, since 2.8.13, O(N) where N is the number of arguments to the command
   */
  command_getkeys(...request: Some<Value>): Bytes[]

  /**
   * Returns the keys of a request without running it, and what it would do to them.
   *
   * `COMMAND GETKEYSANDFLAGS`, since 7.0.0, O(N) where N is the number of arguments to the command
   */
  command_getkeysandflags(...request: Some<Value>): unknown

  /**
   * Lists the subcommands.
   *
   * `COMMAND HELP`, since 5.0.0, O(1)
   */
  command_help(): string[]

  /**
   * Describes some commands, or all.
   *
   * `COMMAND INFO`, since 2.8.13, O(N) where N is the number of commands to look up
   */
  command_info(...commandNames: [] | Some<Value>): unknown

  /**
   * Lists the names of commands.
   *
   * `COMMAND LIST`, since 7.0.0, O(N) where N is the total number of Redis commands
   */
  command_list(options?: { filterby?: ['module', Value] | ['aclcat', Value] | ['pattern', Value] }): Bytes[]

  /**
   * Tells in a sentence what made clients wait.
   *
   * `LATENCY DOCTOR`, since 2.8.13, O(1)
   */
  latency_doctor(): string

  /**
   * Draws the samples of an event.
   *
   * `LATENCY GRAPH`, since 2.8.13, O(1)
   */
  latency_graph(event: Value): string

  /**
   * Lists the subcommands.
   *
   * `LATENCY HELP`, since 2.8.13, O(1)
   */
  latency_help(): string[]

  /**
   * Returns how often commands took how long: of these commands, or of all.
   *
   * `LATENCY HISTOGRAM`, since 7.0.0, O(N) where N is the number of commands with latency information being retrieved
   */
  latency_histogram(...commands: [] | Some<Value>): unknown

  /**
   * Returns the samples of an event: Unix time and milliseconds.
   *
   * `LATENCY HISTORY`, since 2.8.13, O(1)
   */
  latency_history(event: Value): [time: number, milliseconds: number][]

  /**
   * Returns each event with its latest sample and its longest.
   *
   * `LATENCY LATEST`, since 2.8.13, O(1)
   */
  latency_latest(): [event: string, time: number, milliseconds: number, longest: number][]

  /**
   * Forgets the samples of these events, or of all.
   *
   * `LATENCY RESET`, since 2.8.13, O(1)
   */
  latency_reset(...events: [] | Some<Value>): number

  /**
   * Tells in a sentence how memory is used.
   *
   * `MEMORY DOCTOR`, since 4.0.0, O(1)
   */
  memory_doctor(): string

  /**
   * Lists the subcommands.
   *
   * `MEMORY HELP`, since 4.0.0, O(1)
   */
  memory_help(): string[]

  /**
   * Tells what the allocator tells of itself, which is nothing.
   *
   * `MEMORY MALLOC-STATS`, since 4.0.0, O(1)
   */
  memory_malloc_stats(): string

  /**
   * Asks the allocator to give memory back.
   *
   * `MEMORY PURGE`, since 4.0.0, O(1)
   */
  memory_purge(): 'OK'

  /**
   * Returns how memory is used.
   *
   * `MEMORY STATS`, since 4.0.0, O(1)
   */
  memory_stats(): unknown

  /**
   * Returns about how many bytes a key and its value take.
   *
   * `MEMORY USAGE`, since 4.0.0, O(N) where N is the number of samples
   */
  memory_usage(key: Value, options?: { samples?: Numeric }): number | null

  /**
   * Lists the subcommands.
   *
   * `MODULE HELP`, since 5.0.0, O(1)
   */
  module_help(): string[]

  /**
   * Lists the modules that are loaded, of which there are none.
   *
   * `MODULE LIST`, since 4.0.0, O(N) where N is the number of loaded modules.
   */
  module_list(): unknown

  /**
   * Shows every command that is run from now on.
   *
   * `MONITOR`, since 1.0.0, O(1)
   */
  monitor(): unknown

  /**
   * Stops listening to channels, or to all of them.
   *
   * `UNSUBSCRIBE`, since 2.0.0, O(N) where N is the number of channels to unsubscribe
   */
  unsubscribe(...channels: [] | Some<Value>): unknown

  /**
   * Stops listening to patterns, or to all of them.
   *
   * `PUNSUBSCRIBE`, since 2.0.0, O(N) where N is the number of patterns to unsubscribe
   */
  punsubscribe(...patterns: [] | Some<Value>): unknown

  /**
   * Stops listening to sharded channels, or to all of them.
   *
   * `SUNSUBSCRIBE`, since 7.0.0, O(N) where N is the number of shard channels to unsubscribe
   */
  sunsubscribe(...channels: [] | Some<Value>): unknown

  /**
   * Sends a message to everybody who listens to a channel; returns to how many.
   *
   * `PUBLISH`, since 2.0.0, O(N+M) where N is the number of clients subscribed to the channel and M is the number of patterns
   */
  publish(channel: Value, message: Value): number

  /**
   * Sends a message to everybody who listens to a sharded channel; returns to how many.
   *
   * `SPUBLISH`, since 7.0.0, O(N) where N is the number of clients subscribed to the shard channel
   */
  spublish(channel: Value, message: Value): number

  /**
   * Returns the channels that somebody listens to.
   *
   * `PUBSUB CHANNELS`, since 2.8.0, O(N) where N is the number of active channels
   */
  pubsub_channels(pattern?: Value): Bytes[]

  /**
   * Returns how many clients listen to each of some channels.
   *
   * `PUBSUB NUMSUB`, since 2.8.0, O(N) where N is the number of requested channels
   */
  pubsub_numsub(...channels: [] | Some<Value>): (Bytes | number)[]

  /**
   * Returns how many different patterns are listened to.
   *
   * `PUBSUB NUMPAT`, since 2.8.0, O(1)
   */
  pubsub_numpat(): number

  /**
   * Returns the sharded channels that somebody listens to.
   *
   * `PUBSUB SHARDCHANNELS`, since 7.0.0, O(N) where N is the number of active shard channels
   */
  pubsub_shardchannels(pattern?: Value): Bytes[]

  /**
   * Returns how many clients listen to each of some sharded channels.
   *
   * `PUBSUB SHARDNUMSUB`, since 7.0.0, O(N) where N is the number of requested shard channels
   */
  pubsub_shardnumsub(...channels: [] | Some<Value>): (Bytes | number)[]

  /**
   * Returns what the subcommands of PUBSUB do.
   *
   * `PUBSUB HELP`, since 6.2.0, O(1)
   */
  pubsub_help(): string[]

  /**
   * Waits until so many replicas have what this connection wrote, or for so long; returns how many do.
   *
   * `WAIT`, since 3.0.0, O(1)
   */
  wait(numreplicas: Numeric, timeout: Numeric): number

  /**
   * Has a replica take over, and makes this server its replica.
   *
   * `FAILOVER`, since 6.2.0, O(1)
   */
  failover(options?: { to?: [Value, Numeric]; force?: boolean; abort?: boolean; timeout?: Numeric }): 'OK'

  /**
   * Has a replica tell of itself, or how far it has come.
   *
   * `REPLCONF`, since 3.0.0, O(1)
   */
  replconf(...options: [] | Some<Value>): 'OK'

  /**
   * Begins to send a replica what happens, from where it was cut off if that is possible.
   *
   * `PSYNC`, since 2.8.0, O(N) where N is the number of keys, unless the replica goes on where it was
   */
  psync(replicationid: Value, offset: Value, ...option: [] | Some<Value>): never

  /**
   * Begins to send a replica all there is, and then what happens.
   *
   * `SYNC`, since 1.0.0, O(N) where N is the number of keys in all databases
   */
  sync(): never

  /**
   * Makes this server a replica of another, or with NO ONE a primary.
   *
   * `REPLICAOF`, since 5.0.0, O(1)
   */
  replicaof(host: Value, port: Value): string

  /**
   * The same under its older name.
   *
   * `SLAVEOF`, since 1.0.0, O(1)
   */
  slaveof(host: Value, port: Value): string

  /**
   * Tells the role in replication, and of the others.
   *
   * `ROLE`, since 2.8.12, O(1)
   */
  role(): unknown

  /**
   * Runs a script.
   *
   * `EVAL`, since 2.6.0, O(depends on the script that is executed)
   */
  eval(script: Value, keys: Names<Value>, ...args: [] | Some<Value>): unknown

  /**
   * Runs a script that changes nothing.
   *
   * `EVAL_RO`, since 7.0.0, O(depends on the script that is executed)
   */
  eval_ro(script: Value, keys: Names<Value>, ...args: [] | Some<Value>): unknown

  /**
   * Runs a script that was sent before, by its SHA-1.
   *
   * `EVALSHA`, since 2.6.0, O(depends on the script that is executed)
   */
  evalsha(sha1: Value, keys: Names<Value>, ...args: [] | Some<Value>): unknown

  /**
   * Runs a script that was sent before and changes nothing, by its SHA-1.
   *
   * `EVALSHA_RO`, since 7.0.0, O(depends on the script that is executed)
   */
  evalsha_ro(sha1: Value, keys: Names<Value>, ...args: [] | Some<Value>): unknown

  /**
   * Chooses how scripts are debugged, which nobody can here.
   *
   * `SCRIPT DEBUG`, since 3.2.0, O(1)
   */
  script_debug(mode: Value): 'OK'

  /**
   * Tells which scripts are kept.
   *
   * `SCRIPT EXISTS`, since 2.6.0, O(N) with N being the number of scripts to check
   */
  script_exists(...sha1s: Some<Value>): (0 | 1)[]

  /**
   * Forgets all scripts.
   *
   * `SCRIPT FLUSH`, since 2.6.0, O(N) with N being the number of scripts in cache
   */
  script_flush(options?: { async?: boolean; sync?: boolean }): 'OK'

  /**
   * Lists the subcommands.
   *
   * `SCRIPT HELP`, since 5.0.0, O(1)
   */
  script_help(): string[]

  /**
   * Ends the script that runs.
   *
   * `SCRIPT KILL`, since 2.6.0, O(1)
   */
  script_kill(): 'OK'

  /**
   * Keeps a script, and returns its SHA-1.
   *
   * `SCRIPT LOAD`, since 2.6.0, O(N) with N being the length in bytes of the script body
   */
  script_load(script: Value): Bytes

  /**
   * Returns a script that is kept.
   *
   * `SCRIPT SHOW`, since 8.0.0, O(1)
   */
  script_show(sha1: Value): Bytes

  /**
   * Returns the value of a key as bytes that RESTORE takes, here and elsewhere.
   *
   * `DUMP`, since 2.6.0, O(1) to find the key and O(N) to write its value, where N is its size
   */
  dump(key: Value): Bytes | null

  /**
   * Makes a key of bytes that DUMP returned, here or elsewhere.
   *
   * `RESTORE`, since 2.6.0, O(1) to make the key and O(N) to read its value, where N is its size; O(N*log(N)) for sorted sets
   */
  restore(key: Value, ttl: Numeric, serializedValue: Value, options?: { replace?: boolean; absttl?: boolean; idletime?: Numeric; freq?: Numeric }): 'OK'

  /**
   * Makes a key of bytes that DUMP returned, in a slot that is being imported.
   *
   * `RESTORE-ASKING`, since 3.0.0, O(1) to make the key and O(N) to read its value, where N is its size; O(N*log(N)) for sorted sets
   */
  restore_asking(key: Value, ttl: Numeric, serializedValue: Value, options?: { replace?: boolean; absttl?: boolean; idletime?: Numeric; freq?: Numeric }): 'OK'

  /**
   * Returns the last commands that took long.
   *
   * `SLOWLOG GET`, since 2.2.12, O(N) where N is the number of entries returned
   */
  slowlog_get(count?: Numeric): [id: number, time: number, microseconds: number, words: Bytes[], address: string, name: string][]

  /**
   * Returns how many commands the slow log holds.
   *
   * `SLOWLOG LEN`, since 2.2.12, O(1)
   */
  slowlog_len(): number

  /**
   * Empties the slow log.
   *
   * `SLOWLOG RESET`, since 2.2.12, O(N) where N is the number of entries in the slowlog
   */
  slowlog_reset(): 'OK'

  /**
   * Lists the subcommands.
   *
   * `SLOWLOG HELP`, since 6.2.0, O(1)
   */
  slowlog_help(): string[]

  /**
   * Writes a snapshot to the disk while everybody waits.
   *
   * `SAVE`, since 1.0.0, O(N) where N is the number of keys in all databases
   */
  save(): 'OK'

  /**
   * Writes a snapshot to the disk between commands.
   *
   * `BGSAVE`, since 1.0.0, O(1)
   */
  bgsave(options?: { schedule?: boolean }): string

  /**
   * Returns when a snapshot was last written, in seconds since 1970.
   *
   * `LASTSAVE`, since 1.0.0, O(1)
   */
  lastsave(): number

  /**
   * Ends the server, and writes a snapshot before if it is configured to or asked to.
   *
   * `SHUTDOWN`, since 1.0.0, O(N) when saving, where N is the number of keys in all databases; otherwise O(1)
   */
  shutdown(options?: { nosave?: boolean; save?: boolean; now?: boolean; force?: boolean; abort?: boolean }): 'OK'

  /**
   * Tells this connection, or another one, when keys change that it has read, or that begin with a prefix.
   *
   * `CLIENT TRACKING`, since 6.0.0, O(1). Some options may introduce additional complexity
   */
  client_tracking(enabled: 'on' | 'off', options?: { redirect?: Numeric; prefix?: Names<Value>; bcast?: boolean; optin?: boolean; optout?: boolean; noloop?: boolean }): 'OK'

  /**
   * Says of the next command whether the keys it reads are tracked.
   *
   * `CLIENT CACHING`, since 6.0.0, O(1)
   */
  client_caching(enabled: 'yes' | 'no'): 'OK'

  /**
   * Returns the number of the connection that is told in place of this one: 0 for none, -1 when nothing is tracked.
   *
   * `CLIENT GETREDIR`, since 6.0.0, O(1)
   */
  client_getredir(): number

  /**
   * Returns how this connection is told of changes.
   *
   * `CLIENT TRACKINGINFO`, since 6.2.0, O(1)
   */
  client_trackinginfo(): Record<string, unknown>

  /**
   * Runs the queued commands as one unit.
   *
   * `EXEC`, since 1.2.0, O(depends on commands in the transaction)
   */
  exec(): unknown

  /**
   * Forgets the queued commands.
   *
   * `DISCARD`, since 2.0.0, O(N), when N is the number of queued commands
   */
  discard(): 'OK'

  /**
   * Has the next EXEC do nothing if one of these keys changes before it.
   *
   * `WATCH`, since 2.2.0, O(1) for every key
   */
  watch(...keys: Some<Value>): 'OK'

  /**
   * Forgets the watched keys.
   *
   * `UNWATCH`, since 2.2.0, O(1)
   */
  unwatch(): 'OK'

  /**
   * Ends the waiting of a client, as if its time were over or with an error.
   *
   * `CLIENT UNBLOCK`, since 5.0.0, O(log N) where N is the number of client connections
   */
  client_unblock(clientId: Numeric, options?: { timeout?: boolean; error?: boolean }): 0 | 1

  /**
   * Holds up the commands of all clients, or only those that may write, for some milliseconds.
   *
   * `CLIENT PAUSE`, since 3.0.0, O(1)
   */
  client_pause(timeout: Numeric, options?: { write?: boolean; all?: boolean }): 'OK'

  /**
   * Ends a pause.
   *
   * `CLIENT UNPAUSE`, since 6.2.0, O(N) where N is the number of paused clients
   */
  client_unpause(): 'OK'
}

/** Each command with the signature of its method, in the order of their numbers in the engine. */
export const SIGNATURES = `\
setbit key offset value
getbit key offset
bitcount key ?start ?end {byte,bit
bitpos key bit ?start ?end {byte,bit
bitop operation destkey *keys
bitfield key {get=,set=,incrby=,overflow=
bitfield_ro key {get=
blpop *keys timeout &
brpop *keys timeout &
blmpop timeout #keys from {count= &
blmove source destination from to timeout &
brpoplpush source destination timeout &
bzpopmin *keys timeout &
bzpopmax *keys timeout &
bzmpop timeout #keys end {count= &
del *keys
unlink *keys
exists *keys
touch *keys
type key
keys pattern
randomkey
rename key newkey
renamenx key newkey
copy source destination {db=,replace
move key db
expire key seconds {nx,xx,gt,lt
pexpire key milliseconds {nx,xx,gt,lt
expireat key seconds {nx,xx,gt,lt
pexpireat key milliseconds {nx,xx,gt,lt
ttl key
pttl key
expiretime key
pexpiretime key
migrate host port request destinationDb timeout {copy,replace,auth=,auth2=,keys=
persist key
object_encoding key
object_refcount key
object_idletime key
object_freq key
object_help
dbsize
flushdb {async,sync
flushall {async,sync
swapdb index1 index2
geoadd key {nx,xx,ch 3places
geopos key *members
geohash key *members
geodist key member1 member2 {m,km,ft,mi
geosearch key {frommember=,fromlonlat= {byradius=,bybox=,bypolygon= {asc,desc,count=,any,withcoord,withdist,withhash
geosearchstore destination source {frommember=,fromlonlat= {byradius=,bybox=,bypolygon= {asc,desc,count=,any,storedist
georadius key longitude latitude radius unit {withcoord,withdist,withhash,count=,any,asc,desc,store=,storedist=
georadius_ro key longitude latitude radius unit {withcoord,withdist,withhash,count=,any,asc,desc
georadiusbymember key member radius unit {withcoord,withdist,withhash,count=,any,asc,desc,store=,storedist=
georadiusbymember_ro key member radius unit {withcoord,withdist,withhash,count=,any,asc,desc
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
hrandfield key ?count {withvalues
hincrby key field increment
hincrbyfloat key field increment
hexpire key seconds {nx,xx,gt,lt =FIELDS #fields
hpexpire key milliseconds {nx,xx,gt,lt =FIELDS #fields
hexpireat key unixTimeSeconds {nx,xx,gt,lt =FIELDS #fields
hpexpireat key unixTimeMilliseconds {nx,xx,gt,lt =FIELDS #fields
httl key =FIELDS #fields
hpttl key =FIELDS #fields
hexpiretime key =FIELDS #fields
hpexpiretime key =FIELDS #fields
hpersist key =FIELDS #fields
hgetex key {ex=,px=,exat=,pxat=,persist =FIELDS #fields
hgetdel key =FIELDS #fields
hsetex key {fnx,fxx,ex=,px=,exat=,pxat=,keepttl =FIELDS @fields
pfadd key *elements
pfcount *keys
pfmerge destkey *sourcekeys
pfdebug subcommand key
pfselftest
lpush key *elements
rpush key *elements
lpushx key *elements
rpushx key *elements
lpop key ?count
rpop key ?count
lmpop #keys from {count=
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
scan cursor {match=,count=,type=
hscan key cursor {match=,count=,novalues
sscan key cursor {match=,count=
zscan key cursor {match=,count=
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
sinterstore destination *keys
sunionstore destination *keys
sdiffstore destination *keys
sintercard #keys {limit=
sort key {by=,limit=,get*,asc,desc,alpha,store=
sort_ro key {by=,limit=,get*,asc,desc,alpha
zadd key {nx,xx,gt,lt,ch,incr ~pairs
zincrby key increment member
zrem key *members
zscore key member
zmscore key *members
zcard key
zrank key member {withscore
zrevrank key member {withscore
zrandmember key ?count {withscores
zpopmin key ?count
zpopmax key ?count
zmpop #keys end {count=
zcount key min max
zlexcount key min max
zrange key start stop {byscore,bylex,rev,limit=,withscores
zrevrange key start stop {withscores
zrangebyscore key min max {withscores,limit=
zrevrangebyscore key max min {withscores,limit=
zrangebylex key min max {limit=
zrevrangebylex key max min {limit=
zrangestore destination source min max {byscore,bylex,rev,limit=
zremrangebyrank key start stop
zremrangebyscore key min max
zremrangebylex key min max
zunion #keys {weights=,aggregate=,withscores
zunionstore destination #keys {weights=,aggregate=
zinter #keys {weights=,aggregate=,withscores
zinterstore destination #keys {weights=,aggregate=
zintercard #keys {limit=
zdiff #keys {withscores
zdiffstore destination #keys {
xadd key {nomkstream,maxlen=,minid=,limit=,keepref,delref,acked id 2fields
xlen key
xrange key start end {count=
xrevrange key end start {count=
xdel key *ids
xtrim key {maxlen=,minid= {limit=,keepref,delref,acked
xdelex key *request
xsetid key id {entriesadded=,maxdeletedid=
xclaim key group consumer minIdleTime *ids {idle=,time=,retrycount=,force,justid,lastid=
xautoclaim key group consumer minIdleTime start {count=,justid
xgroup_create key group id {mkstream,entriesread=
xgroup_setid key group id {entriesread=
xgroup_destroy key group
xgroup_createconsumer key group consumer
xgroup_delconsumer key group consumer
xgroup_help
xack key group *ids
xackdel key group *request
xpending key group {idle= ?start ?end ?count ?range
xinfo_stream key {full=,count=
xinfo_groups key
xinfo_consumers key group
xinfo_help
xread {count=,block= %streams &
xreadgroup {group= {count=,block=,noack %streams &
set key value {nx,xx,ifeq=,ifne=,ifdeq=,ifdne=,get,ex=,px=,exat=,pxat=,keepttl
get key
getset key value
getdel key
delex key {ifeq=,ifne=,ifdeq=,ifdne=
delifeq key value
digest key
getex key {persist,ex=,px=,exat=,pxat=,keepttl
setex key seconds value
psetex key milliseconds value
setnx key value
mset 2pairs
msetnx 2pairs
msetex @pairs {nx,xx,ex=,px=,exat=,pxat=,keepttl
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
lcs key1 key2 {len,idx,minmatchlen=,withmatchlen
acl_cat ?category
acl_deluser *usernames
acl_dryrun username *command
acl_genpass ?bits
acl_getuser username
acl_help
acl_list
acl_load
acl_log ?operation
acl_save
acl_setuser username *rules
acl_users
acl_whoami
bgrewriteaof
waitaof numlocal numreplicas timeout
asking
cluster_help
cluster_info
cluster_keyslot key
cluster_links
cluster_myid
cluster_myshardid
cluster_nodes
cluster_shards
cluster_slots
readonly
readwrite
commandlog_get count log
commandlog_help
commandlog_len log
commandlog_reset log
config_get *patterns
config_set 2settings
config_resetstat
config_rewrite
config_help
ping ?message
echo message
quit *ignored
reset
select db
auth *credentials
hello ?protover {auth=,setname=
client_id
client_getname
client_setname name
client_setinfo attribute value
client_info
client_list {type=,id=
client_kill *which
client_reply mode
client_no_evict enabled
client_no_touch enabled
client_help
debug *subcommand
fcall function_ #keys *args
fcall_ro function_ #keys *args
function_delete libraryName
function_dump
function_flush {async,sync
function_help
function_kill
function_list {libraryname=,withcode
function_load *library
function_restore serializedValue {flush,append,replace
function_stats
info *sections
time
lolwut *options
command *Words
command_count
command_docs *commandNames
command_getkeys *request
command_getkeysandflags *request
command_help
command_info *commandNames
command_list {filterby=
latency_doctor
latency_graph event
latency_help
latency_histogram *commands
latency_history event
latency_latest
latency_reset *events
memory_doctor
memory_help
memory_malloc_stats
memory_purge
memory_stats
memory_usage key {samples=
module_help
module_list
monitor
subscribe *channels
unsubscribe *channels
psubscribe *patterns
punsubscribe *patterns
ssubscribe *channels
sunsubscribe *channels
publish channel message
spublish channel message
pubsub_channels ?pattern
pubsub_numsub *channels
pubsub_numpat
pubsub_shardchannels ?pattern
pubsub_shardnumsub *channels
pubsub_help
wait numreplicas timeout
failover {to=,force,abort,timeout=
replconf *options
psync replicationid offset *option
sync
replicaof host port
slaveof host port
role
eval script #keys *args
eval_ro script #keys *args
evalsha sha1 #keys *args
evalsha_ro sha1 #keys *args
script_debug mode
script_exists *sha1s
script_flush {async,sync
script_help
script_kill
script_load script
script_show sha1
dump key
restore key ttl serializedValue {replace,absttl,idletime=,freq=
restore_asking key ttl serializedValue {replace,absttl,idletime=,freq=
slowlog_get ?count
slowlog_len
slowlog_reset
slowlog_help
save
bgsave {schedule
lastsave
shutdown {nosave,save,now,force,abort
client_tracking enabled {redirect=,prefix*,bcast,optin,optout,noloop
client_caching enabled
client_getredir
client_trackinginfo
multi
exec
discard
watch *keys
unwatch
client_unblock clientId {timeout,error
client_pause timeout {write,all
client_unpause
`
