// The store of the page. It starts with the module that has no scripts, which is smaller; when a script is first to run, or a
// file is opened, all that is stored moves into another store, and every connection is a new one.

import { open as openLite } from './keyside/lite/index.js'

/** What moves beside the data. */
const SETTINGS = ['maxmemory', 'maxmemory-policy', 'notify-keyspace-events', 'slowlog-log-slower-than', 'slowlog-max-len']

export class Host extends EventTarget {
  #db
  #moving = null
  hasScripts = false

  static async start() {
    const host = new Host()
    host.#db = await openLite()
    return host
  }

  connect() {
    return this.#db.connect()
  }

  /** All that is stored, as an RDB file. */
  snapshot() {
    return this.#db.snapshot()
  }

  /** What opens other stores, with scripts where they are needed. */
  async opener(withScripts = false) {
    return withScripts || this.hasScripts ? (await import('./keyside/index.js')).open : openLite
  }

  /** Makes sure that scripts can run. */
  async giveScripts() {
    if (!this.hasScripts) await (this.#moving ??= this.#move().finally(() => (this.#moving = null)))
  }

  /** Whether it is moving just now; then what is asked has to wait for `giveScripts`. */
  get isMoving() {
    return this.#moving !== null
  }

  /** Replaces all data by those of an RDB file. The store stays as it was if the file is none. */
  async load(snapshot) {
    const open = await this.opener()
    this.#become(await open({ snapshot }))
  }

  async #move() {
    const { open } = await import('./keyside/index.js')
    // Fetches and compiles the module, so that what is written meanwhile is in the snapshot.
    const first = await open()
    first.close()
    let [db, changes] = []
    do {
      db?.close()
      changes = this.#changes()
      db = await open({ snapshot: this.snapshot() })
    } while (changes !== this.#changes())
    this.hasScripts = true
    this.#become(db)
  }

  /** How many changes there were, all in all. */
  #changes() {
    const connection = this.#db.connect()
    const [count] = /rdb_changes_since_last_save:\d+/.exec(connection.call('INFO', 'persistence'))
    connection.close()
    return count
  }

  #become(db) {
    const old = this.#db
    db.config_set(old.connect().call('CONFIG', 'GET', ...SETTINGS))
    this.#db = db
    old.close()
    this.dispatchEvent(new Event('moved'))
  }
}
