// Many names, each once and by its position. It grows in small steps: one Set of a million would stop the page while it
// makes room for more.

const PARTS = 256

export class Names {
  #list = []
  #places = Array.from({ length: PARTS }, () => new Map())

  get length() {
    return this.#list.length
  }

  at(i) {
    return this.#list[i]
  }

  has(name) {
    return this.#part(name).has(name)
  }

  /** Whether it is new. */
  add(name) {
    const part = this.#part(name)
    if (part.has(name)) return false
    part.set(name, this.#list.push(name) - 1)
    return true
  }

  /** Whether it was there. The last name takes its position. */
  delete(name) {
    const part = this.#part(name)
    const at = part.get(name)
    if (at === undefined) return false
    part.delete(name)
    const last = this.#list.pop()
    if (at < this.#list.length) {
      this.#list[at] = last
      this.#part(last).set(last, at)
    }
    return true
  }

  [Symbol.iterator]() {
    return this.#list.values()
  }

  /** Names differ mostly at their end. */
  #part(name) {
    const end = name.length
    const hash = name.charCodeAt(end - 1) * 31 + name.charCodeAt(end - 2) * 7 + name.charCodeAt(end - 3)
    // Of what is not there comes NaN, and of NaN zero.
    return this.#places[(hash + end) & (PARTS - 1)]
  }
}
