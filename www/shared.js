// A connection to a store that all tabs of the page share, for a terminal. The package has the store in a worker of one of the
// tabs, so that every reply is promised; here replies become again what a terminal shows.

import { open } from './keyside/shared.js'

let store

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class SharedConnection {
  #connection
  #onPush = () => {}
  #ends = new Map()

  /** It stays as it is when this tab has another store. */
  isShared = true

  on(_, listener) {
    this.#onPush = listener
  }

  /** The reply to a command, as reply.js reads it. */
  async ask(words) {
    this.#connection ??= (await (store ??= open({ name: 'keyside-page' }))).connect()
    const [name, ...args] = words.map((it) => decoder.decode(it))
    const [, kind, isEnd] = /^(p?)(un)?subscribe$/i.exec(name)?.map((it) => it?.toLowerCase()) ?? []
    if (kind !== undefined) return isEnd ? this.#leave(args) : this.#listen(kind, args)
    try {
      return replyOf(await this.#connection.bytes.call(...words))
    } catch (error) {
      if (error.code === undefined) throw error
      return replyOf(error)
    }
  }

  close() {
    this.#leave([])
    this.#connection?.close()
  }

  #listen(kind, channels) {
    for (const channel of channels) {
      const end = new AbortController()
      this.#ends.get(channel)?.abort()
      this.#ends.set(channel, end)
      this.#hear(`${kind}message`, this.#connection[`${kind}subscribe`]([channel], { signal: end.signal })).catch(() => {})
    }
    return { kind: '+', value: `listening to ${[...this.#ends.keys()].join(', ')}` }
  }

  async #hear(kind, messages) {
    for await (const { pattern, channel, message } of messages) {
      const words = [kind, ...(pattern === undefined ? [] : [pattern]), channel, message].map((it) => encoder.encode(it))
      const text = words.map((it) => `$${it.length}\r\n${decoder.decode(it)}\r\n`).join('')
      this.#onPush(encoder.encode(`>${words.length}\r\n${text}`))
    }
  }

  #leave(channels) {
    for (const channel of channels.length ? channels : [...this.#ends.keys()]) {
      this.#ends.get(channel)?.abort()
      this.#ends.delete(channel)
    }
    return { kind: '+', value: 'OK' }
  }
}

/** A value of the package as the reply that it was: bytes are texts, strings are statuses. */
function replyOf(value) {
  if (value instanceof Error) return { kind: '-', value: value.message }
  if (value instanceof Uint8Array) return { kind: '$', value }
  if (Array.isArray(value)) return { kind: '*', value: value.map(replyOf) }
  switch (typeof value) {
    case 'string':
      return { kind: '+', value }
    case 'bigint':
      return { kind: ':', value: String(value) }
    case 'number':
      return { kind: Number.isInteger(value) ? ':' : ',', value: String(value) }
    case 'boolean':
      return { kind: '#', value: value ? 't' : 'f' }
  }
  if (value === null || value === undefined) return { kind: '_', value: null }
  return { kind: '%', value: Object.entries(value).flatMap(([name, it]) => [{ kind: '$', value: encoder.encode(name) }, replyOf(it)]) }
}
