/**
 * A directory as a place: `file://dir` in Node, Deno and Bun. Its files lie as redis-server and keyside-server expect them, in
 * `appendonlydir` beneath it, so either can go on with what the other has written.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { link, mkdir, open, readFile, readdir, rename, unlink, writeFile, type FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'

import { TakenError, type Storage } from './storage.js'

/** So many bytes are read at a time. */
const PIECE = 1 << 20

const LOCK = 'keyside.lock'

/** Places that this process has, which no file tells it. */
const taken = new Set<string>()

interface File {
  handle: FileHandle
  length: number
  isDirty: boolean
}

/** A directory, which is made if it is not there. */
export function fileStorage(directory: string): Storage {
  return new FileStorage(resolve(directory))
}

class FileStorage implements Storage {
  readonly place: string
  readonly #folder: string
  readonly #files = new Map<string, File>()
  /** Whether names have changed that may not be safe. */
  #hasNewNames = false
  #isClaimed = false

  constructor(directory: string) {
    this.place = `file://${directory}`
    this.#folder = join(directory, 'appendonlydir')
  }

  async claim() {
    if (taken.has(this.#folder)) throw new TakenError(this.place, 'close that one first')
    taken.add(this.#folder)
    try {
      await mkdir(this.#folder, { recursive: true })
      await this.#lock()
      this.#isClaimed = true
    } catch (error) {
      taken.delete(this.#folder)
      throw error
    }
  }

  async list() {
    return readdir(this.#folder)
  }

  async *read(name: string) {
    const handle = await open(this.#path(name), 'r').catch(unlessMissing)
    if (!handle) return
    try {
      for (;;) {
        const { bytesRead, buffer } = await handle.read(new Uint8Array(PIECE), 0, PIECE)
        if (bytesRead === 0) return
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await handle.close()
    }
  }

  async append(name: string, at: number, bytes: Uint8Array) {
    const file = this.#files.get(name) ?? (await this.#open(name))
    file.isDirty = true
    if (file.length > at) {
      await file.handle.truncate(at)
      file.length = at
    }
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await file.handle.write(bytes, done, bytes.length - done, at + done)
      done += bytesWritten
      file.length = Math.max(file.length, at + done)
    }
  }

  async sync() {
    for (const file of this.#files.values()) {
      if (!file.isDirty) continue
      await file.handle.datasync()
      file.isDirty = false
    }
    if (this.#hasNewNames) await this.#syncNames()
  }

  async replace(name: string, bytes: Uint8Array) {
    await this.sync()
    const temporary = this.#path(`temp-${name}`)
    const handle = await open(temporary, 'w')
    try {
      await handle.writeFile(bytes)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await rename(temporary, this.#path(name))
    await this.#syncNames()
  }

  async remove(name: string) {
    const file = this.#files.get(name)
    this.#files.delete(name)
    await file?.handle.close()
    await unlink(this.#path(name)).catch(unlessMissing)
  }

  async release() {
    for (const { handle } of this.#files.values()) await handle.close()
    this.#files.clear()
    if (!this.#isClaimed) return
    this.#isClaimed = false
    await unlink(this.#path(LOCK)).catch(unlessMissing)
    taken.delete(this.#folder)
  }

  async #open(name: string): Promise<File> {
    const handle = await open(this.#path(name), constants.O_RDWR | constants.O_CREAT)
    const file = { handle, length: (await handle.stat()).size, isDirty: true }
    this.#files.set(name, file)
    this.#hasNewNames = true
    return file
  }

  async #syncNames() {
    // Not every system lets a directory be opened.
    const folder = await open(this.#folder, 'r').catch(() => undefined)
    try {
      await folder?.sync().catch(() => {})
    } finally {
      await folder?.close()
    }
    this.#hasNewNames = false
  }

  /** Puts a file there that names this process, unless one is there that names another one that lives. */
  async #lock() {
    const mine = this.#path(`${LOCK}.${randomUUID()}`)
    await writeFile(mine, JSON.stringify(await identity(process.pid)))
    try {
      for (;;) {
        // A link appears with what is in it, or not at all.
        const isMade = await link(mine, this.#path(LOCK)).then(() => true, (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error
          return false
        })
        if (isMade) return
        await this.#breakLock()
      }
    } finally {
      await unlink(mine)
    }
  }

  /** Removes the lock of a process that is no more. */
  async #breakLock() {
    const read = (name: string) => readFile(this.#path(name), 'utf8').catch(unlessMissing)
    const text = await read(LOCK)
    if (text === undefined) return
    const owner = parse(text)
    if (owner && (await isAlive(owner))) throw new TakenError(this.place, `process ${owner.pid}${owner.host === hostname() ? '' : ` of ${owner.host}`} has it. If there is no such process any more, remove ${this.#path(LOCK)}`)
    const old = `${LOCK}.${randomUUID()}`
    await rename(this.#path(LOCK), this.#path(old)).catch(unlessMissing)
    // Somebody else may have broken it in the same moment, and this is theirs.
    if ((await read(old)) !== text) await link(this.#path(old), this.#path(LOCK)).catch(() => {})
    await unlink(this.#path(old)).catch(unlessMissing)
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

/** A process: its number can be another one's later, but not with the same start. */
interface Owner {
  pid: number
  start: string
  host: string
}

async function identity(pid: number): Promise<Owner> {
  // The 22nd field; the 2nd is a name in parentheses that can hold anything.
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const start = status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return { pid, start, host: hostname() }
}

async function isAlive(owner: Owner): Promise<boolean> {
  // Of other machines nothing is known, so they are believed.
  if (owner.host !== hostname()) return true
  // This process has places of its own in `taken`: a lock of its number is a forerunner's.
  if (owner.pid === process.pid && owner.start === (await identity(process.pid)).start) return true
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return (await identity(owner.pid)).start === owner.start
}

function parse(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner
  } catch {
    return undefined
  }
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
