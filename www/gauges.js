// What the store holds just now, asked with INFO. It asks when something happened, and each second while keys can expire.

const SECOND = 1000

export class Gauges {
  #client
  #elements
  /** How many commands of others there were before it began to count. */
  #before
  #counted = 0
  #isWaiting = false
  #timer

  /** Gauges that ask through a client. They count what others did from now on. */
  constructor(client, elements) {
    this.#client = client
    this.#elements = elements
    this.#before = this.#others(this.#info())
  }

  /** Has the gauges drawn with the next frame, once however much happens until then. */
  touch() {
    if (this.#isWaiting) return
    this.#isWaiting = true
    requestAnimationFrame(() => {
      this.#isWaiting = false
      this.#draw()
    })
  }

  /** Goes on counting where it was: there is another store. */
  restart() {
    this.#before = this.#others(this.#info()) - this.#counted
    this.touch()
  }

  #draw() {
    const info = this.#info()
    // RESETSTAT counts from zero again.
    this.#counted = Math.max(0, this.#others(info) - this.#before)
    this.#elements.keys.textContent = sum(info, 'keys').toLocaleString('en')
    this.#elements.memory.textContent = field(info, 'used_memory_human') ?? '–'
    this.#elements.commands.textContent = this.#counted.toLocaleString('en')
    clearTimeout(this.#timer)
    if (sum(info, 'expires') > 0) this.#timer = setTimeout(() => this.touch(), SECOND)
  }

  /** The commands that others sent; the question is not among those that its answer counts. */
  #others(info) {
    return Number(field(info, 'total_commands_processed')) - (this.#client.asked - 1)
  }

  #info() {
    return this.#client.call('INFO', 'keyspace', 'memory', 'stats')
  }
}

function field(info, name) {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
}

/** The sum of a number over all databases. */
function sum(info, name) {
  return Array.from(info.matchAll(new RegExp(`^db\\d+:.*\\b${name}=(\\d+)`, 'gm')), ([, count]) => Number(count)).reduce((a, b) => a + b, 0)
}
