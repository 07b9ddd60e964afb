/**
 * A connection that carries bytes as a socket would: RESP in, RESP out. Programs that speak the protocol themselves are put
 * on it, be they clients in this process or sockets of others. It knows nothing of Node.
 */
import type { Instance } from './instance.js'
import type { Store } from './store.js'

/** The other end of a wire. */
export interface End {
  /** Bytes came: replies, within a call of `write`, or messages. */
  received(bytes: Uint8Array): void
  /** The store has ended the connection; nothing more will come. */
  ended(): void
}

/** Addresses as CLIENT LIST shows them. */
export interface Addresses {
  remote: string
  local: string
}

const IN_PROCESS: Addresses = { remote: 'in-process:0', local: 'in-process:0' }

/** So many bytes are handed over at a time. */
const PIECE = 64 << 10

export class Wire {
  readonly #instance: Instance
  readonly #id: number
  readonly #end: End
  #isOpen = true

  constructor(store: Store, end: End, addresses = IN_PROCESS) {
    this.#instance = store.root
    this.#end = end
    this.#id = this.#instance.connectStream(addresses.remote, addresses.local)
    this.#instance.owners.set(this.#id, {
      received: (_, bytes) => {
        if (bytes) end.received(bytes)
      },
      ended: () => this.#over(),
      stopped: () => this.#over(),
    })
  }

  /** Takes requests, cut anywhere. */
  write(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length && this.#isOpen; at += PIECE) {
      this.#instance.receive(this.#id, bytes.subarray(at, at + PIECE), (reply) => this.#end.received(reply))
    }
  }

  /** Ends the connection. */
  close() {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#instance.disconnect(this.#id)
  }

  #over() {
    if (!this.#isOpen) return
    this.close()
    this.#end.ended()
  }
}
