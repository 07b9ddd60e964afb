// A place in memory that fails when it is told to, tears what it writes then, and shows what a crash at any moment leaves.

export class MemoryStorage {
  place = 'memory'
  files = new Map()
  calls = 0
  /** Called before every call that writes, with its number; what it throws is what the call fails with. */
  fails = () => {}

  constructor(files = new Map()) {
    this.files = files
  }

  /** What there would be after a crash now. */
  copy() {
    return new MemoryStorage(new Map(Array.from(this.files, ([name, bytes]) => [name, bytes.slice()])))
  }

  async list() {
    return [...this.files.keys()]
  }

  async *read(name) {
    const bytes = this.files.get(name)
    for (let at = 0; at < (bytes?.length ?? 0); at += 1000) yield bytes.subarray(at, at + 1000)
  }

  async append(name, at, bytes) {
    const old = this.files.get(name) ?? new Uint8Array(0)
    const put = (length) => {
      const all = new Uint8Array(at + length)
      all.set(old.subarray(0, at))
      all.set(bytes.subarray(0, length), at)
      this.files.set(name, all)
    }
    await this.#step(() => put(bytes.length >> 1))
    put(bytes.length)
  }

  async sync() {
    await this.#step()
  }

  async replace(name, bytes) {
    await this.#step()
    this.files.set(name, bytes.slice())
    await this.#step()
  }

  async remove(name) {
    await this.#step()
    this.files.delete(name)
  }

  /** A call that takes its time, and may fail when a part of it is done. */
  async #step(tear = () => {}) {
    await null
    try {
      this.fails(this.calls++)
    } catch (error) {
      tear()
      throw error
    }
  }
}
