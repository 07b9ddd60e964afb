/**
 * The origin's private files, as only a dedicated worker can have them: by handles that write at once. Nothing here locks out
 * other stores; the browser allows a file one such handle.
 */

/** So many bytes are read at a time. */
const PIECE = 1 << 20

/** Parted from a name by this stands how often it was replaced. */
const EDITION = '~'

/** After the bytes of a name that was replaced: their length and their sum. */
const TRAILER = 8

/** A handle that was let go by a page just gone may be free only a moment later. */
const TRIES = 20
const TRY_MS = 50

/** A handle as dedicated workers have them. */
interface SyncHandle {
  getSize(): number
  read(bytes: Uint8Array, options: { at: number }): number
  write(bytes: Uint8Array, options: { at: number }): number
  truncate(length: number): void
  flush(): void
  close(): void
}

export class OpfsFiles {
  readonly #folder: FileSystemDirectoryHandle
  readonly #handles = new Map<string, SyncHandle>()
  readonly #dirty = new Set<SyncHandle>()

  private constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder
  }

  /** The folder of a store, which is made if it is not there. */
  static async open(name: string): Promise<OpfsFiles> {
    const root = await navigator.storage.getDirectory()
    const all = await root.getDirectoryHandle('keyside', { create: true })
    const files = new OpfsFiles(await all.getDirectoryHandle(encodeURIComponent(name), { create: true }))
    // What cannot be written by handles is found out now.
    const probe = await files.#handle('probe')
    probe.truncate(0)
    await files.remove('probe')
    return files
  }

  async list(): Promise<string[]> {
    const names = new Set<string>()
    for await (const name of this.#folder.keys()) names.add(name.split(EDITION)[0]!)
    return [...names]
  }

  /** So many bytes of a name from `at` on, or what there is of them. */
  async read(name: string, at: number): Promise<Uint8Array> {
    const replaced = await this.#editions(name)
    for (const edition of replaced) {
      const whole = await this.#whole(edition)
      if (whole) return whole.slice(at, at + PIECE)
    }
    if (replaced.length > 0 || !(await this.#has(name))) return new Uint8Array(0)
    const handle = await this.#handle(name)
    const bytes = new Uint8Array(Math.max(0, Math.min(PIECE, handle.getSize() - at)))
    return bytes.subarray(0, handle.read(bytes, { at }))
  }

  async append(name: string, at: number, bytes: Uint8Array) {
    const handle = await this.#handle(name)
    this.#dirty.add(handle)
    if (handle.getSize() > at) handle.truncate(at)
    write(handle, at, bytes)
  }

  async sync() {
    for (const handle of this.#dirty) handle.flush()
    this.#dirty.clear()
  }

  /** Writes the next edition of a name, which counts when it is whole, and removes those before. */
  async replace(name: string, bytes: Uint8Array) {
    await this.sync()
    const old = await this.#editions(name)
    const edition = `${name}${EDITION}${1 + Math.max(0, ...old.map(number))}`
    const handle = await this.#handle(edition)
    handle.truncate(0)
    const whole = new Uint8Array(bytes.length + TRAILER)
    whole.set(bytes)
    new DataView(whole.buffer).setUint32(bytes.length, bytes.length)
    new DataView(whole.buffer).setUint32(bytes.length + 4, sum(bytes))
    write(handle, 0, whole)
    handle.flush()
    for (const one of old) await this.remove(one)
  }

  async remove(name: string) {
    this.#close(name)
    await this.#folder.removeEntry(name).catch((error: Error) => {
      if (error.name !== 'NotFoundError') throw error
    })
  }

  async release() {
    for (const name of [...this.#handles.keys()]) this.#close(name)
  }

  #close(name: string) {
    const handle = this.#handles.get(name)
    if (!handle) return
    this.#handles.delete(name)
    this.#dirty.delete(handle)
    handle.close()
  }

  async #handle(name: string): Promise<SyncHandle> {
    const known = this.#handles.get(name)
    if (known) return known
    const file = await this.#folder.getFileHandle(name, { create: true })
    for (let tries = 0; ; tries++) {
      try {
        const handle = await (file as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }).createSyncAccessHandle()
        this.#handles.set(name, handle)
        return handle
      } catch (error) {
        if ((error as Error).name !== 'NoModificationAllowedError' || tries === TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, TRY_MS))
      }
    }
  }

  async #has(name: string): Promise<boolean> {
    return this.#folder.getFileHandle(name).then(() => true, () => false)
  }

  /** The editions of a name, the last first. */
  async #editions(name: string): Promise<string[]> {
    const editions: string[] = []
    for await (const one of this.#folder.keys()) if (one.startsWith(name + EDITION)) editions.push(one)
    return editions.sort((a, b) => number(b) - number(a))
  }

  /** An edition, if it is whole. */
  async #whole(edition: string): Promise<Uint8Array | undefined> {
    const handle = await this.#handle(edition)
    const bytes = new Uint8Array(handle.getSize())
    handle.read(bytes, { at: 0 })
    const length = bytes.length - TRAILER
    if (length < 0) return undefined
    const view = new DataView(bytes.buffer)
    const isWhole = view.getUint32(length) === length && view.getUint32(length + 4) === sum(bytes.subarray(0, length))
    return isWhole ? bytes.subarray(0, length) : undefined
  }
}

function number(edition: string): number {
  return Number(edition.slice(edition.lastIndexOf(EDITION) + 1))
}

function write(handle: SyncHandle, at: number, bytes: Uint8Array) {
  for (let done = 0; done < bytes.length; ) {
    const written = handle.write(bytes.subarray(done), { at: at + done })
    if (written === 0) throw new DOMException('The quota has been exceeded.', 'QuotaExceededError')
    done += written
  }
}

/** FNV-1a. */
function sum(bytes: Uint8Array): number {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x0100_0193), 0x811c_9dc5) >>> 0
}
