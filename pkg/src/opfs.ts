/**
 * The origin's private files as a place: `opfs://name`. In a dedicated worker they are written directly; elsewhere a worker
 * is started that does.
 */
import { OpfsFiles } from './opfs-files.js'
import type { Call, Outcome } from './opfs-worker.js'
import { LostError, UnavailableError, type Storage } from './storage.js'
import { WebLock } from './web-lock.js'

/** How long the worker may take to say that it is there. */
const START_MS = 10_000

/** How private files are used. */
export interface OpfsOptions {
  /** Takes them from a store that does not answer any more. */
  steal?: boolean
}

/** A folder of the origin's private files, which is made if it is not there. */
export function opfsStorage(name: string, options: OpfsOptions = {}): Storage {
  return new OpfsStorage(name, options)
}

/** The files of a store, here or in a worker. */
type Files = Pick<OpfsFiles, Exclude<Call['method'], 'open'>>

class OpfsStorage implements Storage {
  readonly place: string
  readonly #name: string
  readonly #lock: WebLock
  readonly #steals: boolean
  #files: Files | undefined

  constructor(name: string, { steal = false }: OpfsOptions) {
    this.place = `opfs://${name}`
    this.#name = name
    this.#lock = new WebLock(this.place)
    this.#steals = steal
  }

  async claim() {
    if (typeof navigator === 'undefined' || !navigator.storage?.getDirectory) throw new UnavailableError('there are no private files here; private windows and pages without https have none')
    await this.#lock.take(this.#steals)
    try {
      this.#files = 'DedicatedWorkerGlobalScope' in globalThis ? await OpfsFiles.open(this.#name) : await RemoteFiles.open(this.#name)
    } catch (error) {
      this.#lock.release()
      throw new UnavailableError(`private files cannot be used: ${(error as Error).message}`, { cause: error })
    }
  }

  list() {
    return this.#use().list()
  }

  async *read(name: string) {
    for (let at = 0; ; ) {
      const piece = await this.#use().read(name, at)
      if (piece.length === 0) return
      yield piece
      at += piece.length
    }
  }

  append(name: string, at: number, bytes: Uint8Array) {
    return this.#use().append(name, at, bytes)
  }

  sync() {
    return this.#use().sync()
  }

  replace(name: string, bytes: Uint8Array) {
    return this.#use().replace(name, bytes)
  }

  remove(name: string) {
    return this.#use().remove(name)
  }

  async release() {
    await this.#files?.release()
    this.#lock.release()
  }

  #use(): Files {
    if (this.#lock.isLost) throw new LostError(this.place)
    return this.#files!
  }
}

/** Files in a worker of their own. */
class RemoteFiles implements Files {
  readonly #worker: Worker
  readonly #calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #next = 0

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<Outcome>) => {
      const call = this.#calls.get(data.id)
      this.#calls.delete(data.id)
      if ('name' in data) call?.reject(Object.assign(new Error(data.message), { name: data.name }))
      else call?.resolve(data.value)
    }
    worker.onerror = (event) => {
      event.preventDefault()
      this.#fail(new Error(event.message || 'its worker cannot be started'))
    }
  }

  static async open(name: string): Promise<RemoteFiles> {
    if (typeof Worker === 'undefined') throw new Error('there are no workers here')
    const files = new RemoteFiles(new Worker(new URL('./opfs-worker.js', import.meta.url), { type: 'module' }))
    const timer = setTimeout(() => files.#fail(new Error('its worker does not answer')), START_MS)
    try {
      await files.#call('open', name)
    } catch (error) {
      files.#worker.terminate()
      throw error
    } finally {
      clearTimeout(timer)
    }
    return files
  }

  list() {
    return this.#call('list') as Promise<string[]>
  }

  read(name: string, at: number) {
    return this.#call('read', name, at) as Promise<Uint8Array>
  }

  append(name: string, at: number, bytes: Uint8Array) {
    return this.#call('append', name, at, bytes) as Promise<void>
  }

  sync() {
    return this.#call('sync') as Promise<void>
  }

  replace(name: string, bytes: Uint8Array) {
    return this.#call('replace', name, bytes) as Promise<void>
  }

  remove(name: string) {
    return this.#call('remove', name) as Promise<void>
  }

  async release() {
    await this.#call('release')
    this.#worker.terminate()
  }

  #call(method: Call['method'], ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#next++
      this.#calls.set(id, { resolve, reject })
      this.#worker.postMessage({ id, method, args } satisfies Call)
    })
  }

  #fail(error: Error) {
    for (const { reject } of this.#calls.values()) reject(error)
    this.#calls.clear()
  }
}
