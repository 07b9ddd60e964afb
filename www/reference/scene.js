// Runs blocks of a transcript on a store of their own, whose clock goes when a block says so. It draws nothing.

import { split } from '../line.js'
import { readAll } from '../reply.js'
import { steps } from './transcript.js'

/** Some moment, the same for all. */
const START = 1_767_225_600_000

/**
 * @typedef {object} Step
 * @property {string} text the line
 * @property {string} client the letter of who asked, or nothing
 * @property {string[]} [words] the first two words in capitals, where it was a request
 * @property {{ client: string, reply: object, raw: Uint8Array }[]} replies what came back, to whomever
 */

export class Scene {
  #db
  #protocol
  #now = START
  #clients = new Map()
  #heard = []

  /** A scene on a new store, which `open` makes; all of its clients speak the given protocol. */
  static async begin(open, protocol = 3) {
    const scene = new Scene()
    scene.#protocol = protocol
    scene.#db = await open({ now: () => scene.#now })
    return scene
  }

  /** Runs the steps of a block, one after the other. @returns {Promise<Step[]>} */
  async run(block, { resp2 = false } = {}) {
    const done = []
    for (const { text, client = '', line, wait } of steps(block)) {
      const step = { text, client, replies: [] }
      done.push(step)
      if (wait !== undefined) {
        this.#now += wait
        // A timer of the store would wait for the time to pass; any command shows it that it has.
        this.#client('', 3).send('PING')
      } else {
        const words = split(line)
        if (words === null) step.replies.push({ client, reply: { kind: '-', value: 'The quotes are not balanced.' }, raw: new Uint8Array() })
        else if (words.length) this.#ask(step, words, resp2 ? 2 : this.#protocol)
      }
      await Promise.resolve()
      step.replies.push(...this.#heard.splice(0))
    }
    return done
  }

  end() {
    this.#db.close()
  }

  #ask(step, words, protocol) {
    step.words = words.slice(0, 2).map((it) => new TextDecoder().decode(it).toUpperCase())
    const key = `${step.client}${protocol}`
    try {
      step.replies.push(...read(step.client, this.#client(step.client, protocol).send(...words)))
    } catch (error) {
      this.#clients.delete(key)
      step.replies.push({ client: step.client, reply: { kind: '-', value: error.message }, raw: new Uint8Array() })
    }
  }

  #client(letter, protocol) {
    const key = `${letter}${protocol}`
    let client = this.#clients.get(key)
    if (!client) {
      this.#clients.set(key, (client = this.#db.connect()))
      client.send('HELLO', String(protocol))
      client.on('push', (bytes) => this.#heard.push(...read(letter, bytes)))
    }
    return client
  }
}

function read(client, bytes) {
  return readAll(bytes).map((reply) => ({ client, reply, raw: bytes.subarray(reply.at, reply.next) }))
}

const NAMES = { '+': 'simple string', $: 'bulk string', '=': 'verbatim string', ':': 'integer', ',': 'double', '(': 'big number', '#': 'boolean', _: 'null', '*': 'array', '~': 'set', '%': 'map', '>': 'push', '|': 'attribute', '-': 'error' }

/** What a reply is made of, in words such as `array of bulk strings`. */
export function shape({ kind, value }, depth = 0) {
  if (kind === '-') return 'error'
  if (!Array.isArray(value)) return kind === '+' && depth === 0 ? `simple string ${value}` : NAMES[kind]
  if (value.length === 0) return `empty ${NAMES[kind]}`
  if (depth > 2) return NAMES[kind]
  const inner = (items) => [...new Set(items.map((it) => shape(it, depth + 1)))].slice(0, 3).join(' or ')
  if (kind !== '%') return `${NAMES[kind]} of ${inner(value)}`
  return `map of ${inner(value.filter((_, i) => i % 2 === 0))} to ${inner(value.filter((_, i) => i % 2))}`
}
