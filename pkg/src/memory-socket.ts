/** A wire as a socket of Node, for clients that want one. It needs no network; like other sockets it keeps its process alive. */
import { Duplex } from 'node:stream'

import type { Store } from './store.js'
import { Wire } from './wire.js'

/** The longest that a timer can wait. */
const LONG = 0x7fff_ffff

export class MemorySocket extends Duplex {
  readonly connecting = false
  readonly #wire: Wire
  /** What waits for a message or for BLPOP must not end because nothing else is to be done. */
  readonly #alive = setInterval(() => {}, LONG)
  #received: Uint8Array[] = []

  constructor(store: Store) {
    super({ allowHalfOpen: false })
    this.#wire = new Wire(store, {
      received: (bytes) => this.#receive(bytes),
      ended: () => queueMicrotask(() => this.#finish()),
    })
    process.nextTick(() => {
      for (const event of ['connect', 'ready']) if (!this.destroyed) this.emit(event)
    })
  }

  override _read() {}

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void) {
    try {
      this.#wire.write(chunk)
      done()
    } catch (error) {
      done(error as Error)
    }
  }

  override _final(done: () => void) {
    this.#finish()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void) {
    clearInterval(this.#alive)
    this.#wire.close()
    done(error)
  }

  setNoDelay() {
    return this
  }

  setKeepAlive() {
    return this
  }

  setTimeout() {
    return this
  }

  ref() {
    this.#alive.ref()
    return this
  }

  unref() {
    this.#alive.unref()
    return this
  }

  /** A client notes what it asked only after it wrote it, so nothing comes back at once. */
  #receive(bytes: Uint8Array) {
    if (this.#received.push(bytes) === 1) queueMicrotask(() => this.#flush())
  }

  #finish() {
    this.#flush()
    if (!this.readableEnded && !this.destroyed) this.push(null)
  }

  #flush() {
    const received = this.#received
    if (received.length === 0 || this.readableEnded || this.destroyed) return
    this.#received = []
    this.push(received.length === 1 ? Buffer.from(received[0]!.buffer) : Buffer.concat(received))
  }
}
