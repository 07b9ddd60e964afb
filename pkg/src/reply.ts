/** From the bytes of a reply, which are RESP3, to values. */

/** A command that was refused. The message is Redis's own. */
export class ReplyError extends Error {
  /** The first word of the message: `ERR`, `WRONGTYPE` … */
  readonly code: string

  constructor(message: string) {
    super(message)
    this.code = message.slice(0, (message + ' ').indexOf(' '))
  }

  override get name() {
    return 'ReplyError'
  }
}

/** What `run` gives, or the refusal it meets, as a reply like others. */
export function replyOrRefusal(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    if (error instanceof ReplyError) return error
    throw error
  }
}

/** A message that nobody asked for just now: its kind, and what comes with it. */
export class Push {
  constructor(readonly values: unknown[]) {}
}

/** Decodes text as it is: a byte order mark is a character like others. */
export const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Reads replies one after the other. */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #asBytes: boolean
  /** All of the bytes as text, if a position in the one is the same position in the other. */
  readonly #text: string | undefined
  #at = 0

  /** A reader of `bytes`, which must not change while it reads. */
  constructor(bytes: Uint8Array, asBytes: boolean) {
    this.#bytes = bytes
    this.#asBytes = asBytes
    // One call decodes all strings of a reply, which are then slices of its text, unless it is not ASCII.
    const text = asBytes ? undefined : decoder.decode(bytes)
    this.#text = text?.length === bytes.length ? text : undefined
  }

  /** Whether all has been read. */
  get isAtEnd() {
    return this.#at >= this.#bytes.length
  }

  /** How many bytes have been read. */
  get position() {
    return this.#at
  }

  /** The next reply. An error is a value here. */
  next(): unknown {
    const tag = this.#bytes[this.#at++]
    switch (tag) {
      case 0x24: // $
        return this.#orNull((length) => this.#string(length))
      case 0x3a: // :
        return this.#integer()
      case 0x2b: // +
        return this.#line()
      case 0x2a: // *
      case 0x7e: // ~
        return this.#orNull((length) => this.#array(length))
      case 0x25: // %
        return this.#map(this.#number())
      case 0x5f: // _
        this.#line()
        return null
      case 0x2c: // ,
        return double(this.#line())
      case 0x23: // #
        return this.#line() === 't'
      case 0x2d: // -
        return new ReplyError(this.#line())
      case 0x3d: // =
        return this.#verbatim(this.#number())
      case 0x28: // (
        return BigInt(this.#line())
      case 0x3e: // >
        return new Push(this.#array(this.#number()))
      case 0x7c: // |
        this.#map(this.#number())
        return this.next()
      default:
        throw new Error(`keyside: a reply cannot begin with ${tag}`)
    }
  }

  /** The number up to the end of the line, which is small. */
  #number(): number {
    const bytes = this.#bytes
    let at = this.#at
    let n = 0
    for (let byte; (byte = bytes[at++]!) !== 13; ) n = n * 10 + byte - 48
    this.#at = at + 1
    return n
  }

  /** In RESP2, which a connection speaks after HELLO 2, null has the length -1. */
  #orNull<T>(read: (length: number) => T): T | null {
    if (this.#bytes[this.#at] !== 0x2d) return read(this.#number())
    this.#line()
    return null
  }

  #integer(): number | bigint {
    const text = this.#line()
    const n = +text
    return Number.isSafeInteger(n) ? n : BigInt(text)
  }

  #line(): string {
    const start = this.#at
    const end = this.#bytes.indexOf(13, start)
    this.#at = end + 2
    return this.#slice(start, end)
  }

  #string(length: number): string | Uint8Array {
    const start = this.#at
    this.#at = start + length + 2
    return this.#asBytes ? this.#bytes.slice(start, start + length) : this.#slice(start, start + length)
  }

  #verbatim(length: number): string {
    const start = this.#at
    this.#at = start + length + 2
    return this.#slice(start + 4, start + length)
  }

  #slice(start: number, end: number): string {
    return this.#text === undefined ? decoder.decode(this.#bytes.subarray(start, end)) : this.#text.slice(start, end)
  }

  #array(length: number): unknown[] {
    const values = new Array<unknown>(length)
    for (let i = 0; i < length; i++) {
      const value = this.next()
      // What EXEC answers for SUBSCRIBE stands where its reply would.
      values[i] = value instanceof Push ? value.values : value
    }
    return values
  }

  /** An object, whose keys are text even where strings come back as bytes. */
  #map(length: number): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const key = this.next()
      const name = key instanceof Uint8Array ? decoder.decode(key) : String(key)
      const value = this.next()
      // Assigned, this one would be the object's prototype.
      if (name === '__proto__') Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true })
      else map[name] = value
    }
    return map
  }
}

/** A number as RESP3 writes it. */
export function double(text: string): number {
  return text === 'inf' ? Infinity : text === '-inf' ? -Infinity : +text
}
