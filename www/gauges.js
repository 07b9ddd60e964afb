// What the store holds just now, asked with INFO. It asks when something happened, and each second while keys can expire.

const SECOND = 1000

export class Gauges {
  #db
  #elements
  #asked
  #isWaiting = false
  #timer

  /** Gauges of `db`, which nobody else asks from now on. */
  constructor(db, elements) {
    this.#db = db
    this.#elements = elements
    this.#asked = Number(field(db.call('INFO', 'stats'), 'total_commands_processed')) + 1
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

  #draw() {
    const info = this.#db.call('INFO', 'keyspace', 'memory', 'stats')
    const commands = Number(field(info, 'total_commands_processed')) - this.#asked++
    this.#elements.keys.textContent = sum(info, 'keys').toLocaleString('en')
    this.#elements.memory.textContent = field(info, 'used_memory_human') ?? '–'
    // RESETSTAT counts from zero again.
    this.#elements.commands.textContent = Math.max(0, commands).toLocaleString('en')
    clearTimeout(this.#timer)
    if (sum(info, 'expires') > 0) this.#timer = setTimeout(() => this.touch(), SECOND)
  }
}

function field(info, name) {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
}

/** The sum of a number over all databases. */
function sum(info, name) {
  return Array.from(info.matchAll(new RegExp(`^db\\d+:.*\\b${name}=(\\d+)`, 'gm')), ([, count]) => Number(count)).reduce((a, b) => a + b, 0)
}
