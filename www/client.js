// A connection of the page itself: opened again when it has ended, since a CLIENT KILL can mean it too.

export class Client {
  #connect
  #connection
  #onPush

  /** How many commands it has sent. */
  asked = 0

  /** `connect` opens it; `onPush` hears what comes by itself; `prepare` is called with each connection that was opened. */
  constructor(connect, { onPush, prepare } = {}) {
    this.#connect = connect
    this.#onPush = onPush
    this.prepare = prepare
    this.#open()
  }

  /** The reply to a command, with texts as strings. */
  call(...words) {
    return this.#run(() => this.#connection.call(...words))
  }

  /** The same with texts as bytes. */
  bytes(...words) {
    return this.#run(() => this.#connection.bytes.call(...words))
  }

  close() {
    this.#connection.close()
  }

  #open() {
    this.#connection = this.#connect()
    if (this.#onPush) this.#connection.on('push', this.#onPush)
    this.prepare?.(this.#connection)
  }

  #run(ask) {
    this.asked++
    try {
      return ask()
    } catch (error) {
      // What the store refuses has a code.
      if (error.code !== undefined) throw error
      this.#open()
      return ask()
    }
  }
}
