// What a connection's prompt shows: its database, and whether it queues commands. It is told by the replies, and asks nothing.

const decoder = new TextDecoder()

export class Session {
  database = 0
  isQueueing = false
  /** The database that EXEC is to select. */
  #queued = null

  /** Takes note of one request and its reply. */
  follow(words, { kind, value }) {
    const name = decoder.decode(words[0]).toUpperCase()
    const isDone = kind !== '-'
    if (kind === '+' && value === 'QUEUED') {
      if (name === 'SELECT') this.#queued = Number(decoder.decode(words[1]))
    } else if (name === 'MULTI' && isDone) {
      this.isQueueing = true
    } else if (name === 'SELECT' && isDone) {
      this.database = Number(decoder.decode(words[1]))
    } else if (name === 'EXEC' && (isDone || value.startsWith('EXECABORT'))) {
      if (Array.isArray(value)) this.database = this.#queued ?? this.database
      this.#endQueue()
    } else if (name === 'DISCARD' && isDone) {
      this.#endQueue()
    } else if (name === 'RESET' && isDone) {
      this.database = 0
      this.#endQueue()
    }
  }

  #endQueue() {
    this.isQueueing = false
    this.#queued = null
  }

  /** As redis-cli shows it. */
  get prompt() {
    return `keyside${this.database ? `[${this.database}]` : ''}${this.isQueueing ? '(TX)' : ''}>`
  }
}
