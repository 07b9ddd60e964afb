/** A store in a worker, so that no command holds up the page: the same methods, which promise. */
import type { HostOptions, Start, Told } from './start.js'
import { Link } from './link.js'
import { RemoteStore, connect, introduce } from './remote.js'
import { serve, type Pipe } from './serve.js'
import { UnavailableError, type PersistEvent } from './storage.js'

export { BatchError } from './batch.js'
export { ReplyError } from './reply.js'
export { connect, serve }
export type { HostOptions, Pipe }
export type { RemoteBatch, RemoteCommands, RemoteConnection, RemoteStore } from './remote.js'

/** How a store is opened in a worker. */
export interface WorkerOptions extends HostOptions {
  /** Is told what happened to the data that is kept; otherwise the console is. */
  onPersist?: (event: PersistEvent) => void
}

/** Opens a store in a worker of its own. */
export async function open({ onPersist = report, ...options }: WorkerOptions = {}): Promise<RemoteStore> {
  const worker = startWorker(onPersist)
  const link = new Link()
  try {
    await told(worker, { start: 'alone', options })
  } catch (error) {
    worker.terminate()
    throw error
  }
  link.attach(worker as unknown as Pipe)
  worker.onerror = (event) => link.end(new Error(`keyside: the worker failed and cannot be used any more (${event.message})`))
  const ending = async () => {
    try {
      await link.ask('close')
    } finally {
      worker.terminate()
    }
  }
  return introduce(new RemoteStore(link, ending))
}

/** @internal A worker for a store, and who is told of what it reports. */
export function startWorker(onPersist: (event: PersistEvent) => void): Worker {
  if (typeof Worker === 'undefined') throw new UnavailableError('keyside: there are no workers here; serve the store through a port (serve, connect), or open it in this thread')
  const worker = new Worker(new URL('./host.js', import.meta.url), { type: 'module' })
  worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    if (data && 'event' in data) onPersist(data.event)
  })
  return worker
}

/** @internal Starts what the worker is for; resolves when that has begun. */
export function told(worker: Worker, start: Start): Promise<void> {
  return new Promise((resolve, reject) => {
    const listener = ({ data }: MessageEvent<Told>) => {
      if (data && 'ready' in data) end(resolve)
      else if (data && 'failed' in data) end(() => reject(Object.assign(new Error(data.failed), { name: data.name })))
    }
    const failed = (event: ErrorEvent) => {
      event.preventDefault()
      end(() => reject(new Error(`keyside: its worker cannot be started (${event.message || 'host.js was not found, or the policy of the page forbids workers: worker-src'})`)))
    }
    const end = (settle: () => void) => {
      worker.removeEventListener('message', listener)
      worker.removeEventListener('error', failed)
      settle()
    }
    worker.addEventListener('message', listener)
    worker.addEventListener('error', failed)
    const { wasm, ...options } = start.options
    for (const [name, value] of Object.entries(options)) if (typeof value === 'function') throw new TypeError(`open: ${name} is a function, which cannot be sent to a worker`)
    worker.postMessage({ ...start, options: { ...options, ...(wasm === undefined ? {} : { wasm: wasm instanceof URL ? wasm.href : wasm }) } })
  })
}

/** @internal For those who did not ask to be told. */
export function report(event: PersistEvent) {
  console.warn('keyside:', event.kind, event)
}
