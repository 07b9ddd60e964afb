// The keys that match a pattern: found with SCAN, a slice of time after the other, and kept true by notifications. It knows
// the store and no elements.

import { Names } from './names.js'

/** How long a slice may take, in milliseconds, so that typing and scrolling go on between two of them. */
const SLICE = 8
const AT_ONCE = 200
const REMOVALS = new Set(['del', 'expired', 'evicted', 'rename_from', 'move_from'])

/** So many keys are put in order; more are shown as the store gives them, since sorting them would take too long. */
const SORTED = 5000

export class Keys {
  #client
  #onChange
  #wanted = { pattern: '*', prefix: null, type: '' }
  #names = new Names()
  #sorted = null
  #folders = new Map()
  #run = 0
  #size = 0
  isComplete = false

  /** `onChange` hears whenever there are other keys than before, or the search has ended. */
  constructor(client, onChange) {
    this.#client = client
    this.#onChange = onChange
  }

  /** How many keys are found. */
  get count() {
    let count = this.#names.length
    for (const it of this.#folders.values()) count += it
    return count
  }

  /** The folders with how many keys each has, then the keys: to be asked for one by one, as there can be very many. */
  get items() {
    const folders = [...this.#folders].sort(([a], [b]) => (a < b ? -1 : 1)).map(([folder, count]) => ({ folder, count }))
    const names = this.#names.length > SORTED ? this.#names : (this.#sorted ??= [...this.#names].sort())
    return { length: folders.length + names.length, at: (i) => (i < folders.length ? folders[i] : names.at(i - folders.length)) }
  }

  /**
   * Begins anew, with the keys that match a pattern and have a type; an empty one stands for all. Where there is a prefix, the
   * keys below it are meant, and those that have another colon behind it are counted as folders.
   */
  async find({ pattern = '', prefix = null, type = '' }) {
    const run = ++this.#run
    this.#wanted = { pattern: pattern || (prefix === null ? '*' : `${prefix.replace(/[*?[\]\\^]/g, '\\$&')}*`), prefix, type }
    this.#names = new Names()
    this.#sorted = null
    this.#folders = new Map()
    this.isComplete = false
    this.#onChange()
    let cursor = '0'
    do {
      const until = performance.now() + SLICE
      do {
        const [next, found] = this.#client.call('SCAN', cursor, 'MATCH', this.#wanted.pattern, 'COUNT', AT_ONCE, ...(type ? ['TYPE', type] : []))
        for (const name of found) this.#add(name)
        cursor = next
      } while (cursor !== '0' && performance.now() < until)
      this.#onChange()
      await new Promise((resolve) => setTimeout(resolve))
      if (run !== this.#run) return
    } while (cursor !== '0')
    this.isComplete = true
    this.#size = this.#client.call('DBSIZE')
    this.#onChange()
  }

  stop() {
    this.#run++
  }

  /** Takes note of an event about a key: it came, went, or is another. */
  follow(event, name) {
    if (event === 'new') {
      this.#size++
      if (this.#belongs(name)) this.#add(name)
    } else if (REMOVALS.has(event)) {
      this.#size--
      if (this.#belongs(name, true)) this.#remove(name)
    } else return
    this.#onChange()
  }

  /** Searches again where keys came or went without a word, as with FLUSHALL and DEBUG POPULATE. */
  check() {
    if (this.isComplete && this.#client.call('DBSIZE') !== this.#size) this.find(this.#wanted)
  }

  #add(name) {
    const folder = this.#folderOf(name)
    if (folder === null) this.#count(this.#names.add(name))
    else this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1)
  }

  #remove(name) {
    const folder = this.#folderOf(name)
    if (folder === null) return this.#count(this.#names.delete(name))
    const left = (this.#folders.get(folder) ?? 0) - 1
    if (left > 0) this.#folders.set(folder, left)
    else this.#folders.delete(folder)
  }

  /** The order is made anew when a name came or went. */
  #count(isChange) {
    if (isChange) this.#sorted = null
  }

  #folderOf(name) {
    const { prefix } = this.#wanted
    const end = prefix === null ? -1 : name.indexOf(':', prefix.length)
    return end < 0 ? null : name.slice(0, end + 1)
  }

  /** Whether a key is one of those that are searched; one that is gone has no type to ask for. */
  #belongs(name, isGone = false) {
    const { pattern, type } = this.#wanted
    if (type && isGone) return this.#names.has(name) || this.#folderOf(name) !== null
    if (type && this.#client.call('TYPE', name) !== type) return false
    return pattern === '*' || glob(pattern).test(name)
  }
}

/** A pattern of Redis as one of JavaScript. */
export function glob(pattern) {
  const source = pattern.replace(/\\([^])|\[(\^?)((?:\\[^]|[^\]\\])*)\]|[*?]|[^]/gu, (part, escaped, not, members) => {
    if (part === '*') return '[^]*'
    if (part === '?') return '[^]'
    if (members !== undefined) return `[${not}${members.replace(/\\?([^])/gu, (_, char) => (char === '-' ? '-' : `\\u{${char.codePointAt(0).toString(16)}}`))}]`
    return `\\u{${(escaped ?? part).codePointAt(0).toString(16)}}`
  })
  return new RegExp(`^${source}$`, 'u')
}
