// What the store holds just now, asked with INFO. It asks when something happened, and each second while keys can expire.

const SECOND = 1000

export class Gauges {
  #client
  #elements
  #asked
  #isWaiting = false
  #timer

  /** Gauges that ask through a client. They count what others did from now on. */
  constructor(client, elements) {
    this.#client = client
    this.#elements = elements
    this.#asked = Number(field(this.#info(), 'total_commands_processed')) + 1
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

  /** Counts from zero again: there is another store. */
  restart() {
    this.#asked = Number(field(this.#info(), 'total_commands_processed')) + 1
    this.touch()
  }

  #draw() {
    const info = this.#info()
    const commands = Number(field(info, 'total_commands_processed')) - this.#asked++
    this.#elements.keys.textContent = sum(info, 'keys').toLocaleString('en')
    this.#elements.memory.textContent = field(info, 'used_memory_human') ?? '–'
    // RESETSTAT counts from zero again.
    this.#elements.commands.textContent = Math.max(0, commands).toLocaleString('en')
    clearTimeout(this.#timer)
    if (sum(info, 'expires') > 0) this.#timer = setTimeout(() => this.touch(), SECOND)
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
