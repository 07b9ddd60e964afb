/** Opening a store, wherever the module comes from. */
import { Instance } from './instance.js'
import type { Appendfsync, PersistEvent, Storage } from './storage.js'
import { Store, fingerprint } from './store.js'
import { mismatch } from './values.js'

/** Where the module may come from. */
export type Source = URL | string | Response | WebAssembly.Module | Uint8Array | ArrayBuffer

/** Which keys are evicted: all or those that expire, by how long or how seldom they were used, by chance, or by when they expire. */
export type MaxmemoryPolicy =
  | 'noeviction'
  | 'allkeys-lru'
  | 'allkeys-lfu'
  | 'allkeys-random'
  | 'volatile-lru'
  | 'volatile-lfu'
  | 'volatile-random'
  | 'volatile-ttl'

/** How a store is opened. */
export interface OpenOptions {
  /** The module `keyside.wasm`, if it does not lie beside the package's code. */
  wasm?: Source | Promise<Source>
  /** How many bytes the store may use, or a size such as `64mb`; otherwise any number. */
  maxmemory?: number | string
  /** Which keys go when there is no more room; otherwise none, and commands that take memory are refused. */
  maxmemoryPolicy?: MaxmemoryPolicy
  /** The clock, in milliseconds since 1970; otherwise `Date.now`. */
  now?: () => number
  /** What the store is to hold at first: an RDB file, from `db.snapshot()` or from redis-server. */
  snapshot?: Uint8Array
  /**
   * Where the store is kept: `idb://name` or `opfs://name` in browsers, `file://directory` where there are files, or a place of
   * one's own. What is kept there already is in the store when it is open, and then `snapshot` is not read.
   */
  persist?: string | URL | Storage
  /** When changes are made safe: as they happen, once a second (as if not given), or when the place likes to. */
  appendfsync?: Appendfsync
  /** Is told what happened to the data that is kept: a place that is not to be had, an error. Otherwise the console is. */
  onPersist?: (event: PersistEvent) => void
}

/** The places of a runtime: how what stands before `://` makes one of what follows. */
export type Places = Record<string, (name: string) => Promise<Storage>>

/** Makes a store of the module. */
export async function openWith(module: WebAssembly.Module, options: OpenOptions, places: Places): Promise<Store> {
  check(options)
  const instance = await Instance.start(module, options.now ?? Date.now)
  if (instance.fingerprint() !== fingerprint()) throw new Error('keyside: keyside.wasm is not of the same version as the package')
  const { persist, snapshot } = options
  const keeper = persist === undefined ? undefined : await (await import('./keeper.js')).keep(instance, persist, options.onPersist, places)
  if (snapshot !== undefined && !keeper?.isFound) instance.load(snapshot)
  const store = new Store(instance, keeper)
  const { maxmemory = 0, maxmemoryPolicy = 'noeviction', appendfsync } = options
  if (maxmemory) store.config_set({ maxmemory: String(maxmemory), 'maxmemory-policy': maxmemoryPolicy })
  if (appendfsync) store.config_set({ appendfsync })
  await keeper?.start()
  return store
}

/** Refuses options that are not what they have to be, before anything is begun. */
function check(options: OpenOptions) {
  if (typeof options !== 'object' || options === null) throw mismatch('open', 'options', 'an object', options)
  const { persist, appendfsync, onPersist, snapshot, now } = options
  const isPlace = typeof persist === 'object' && persist !== null && (persist instanceof URL || typeof persist.append === 'function')
  if (persist !== undefined && typeof persist !== 'string' && !isPlace) throw mismatch('open', 'persist', "a place such as 'idb://name', or a Storage", persist)
  if (appendfsync !== undefined && !['always', 'everysec', 'no'].includes(appendfsync)) throw mismatch('open', 'appendfsync', "'always', 'everysec' or 'no'", appendfsync)
  if (snapshot !== undefined && !(snapshot instanceof Uint8Array)) throw mismatch('open', 'snapshot', 'a Uint8Array', snapshot)
  for (const [name, value] of Object.entries({ onPersist, now })) if (value !== undefined && typeof value !== 'function') throw mismatch('open', name, 'a function', value)
}

const modules = new Map<string, Promise<WebAssembly.Module>>()

/** Compiles the module. One from a URL is compiled once and kept. */
export async function compile(source: Source | Promise<Source>, fetchBytes: (url: string) => Promise<Response | BufferSource>): Promise<WebAssembly.Module> {
  source = await source
  if (source instanceof WebAssembly.Module) return source
  if (typeof source === 'string' || source instanceof URL) {
    const url = String(source)
    let module = modules.get(url)
    if (!module) {
      modules.set(url, (module = fetchBytes(url).catch(unreachable(url)).then(compileBytes)))
      module.catch(() => modules.delete(url))
    }
    return module
  }
  return compileBytes(source as Response | BufferSource)
}

async function compileBytes(source: Response | BufferSource): Promise<WebAssembly.Module> {
  const isResponse = typeof Response !== 'undefined' && source instanceof Response
  if (isResponse && !source.ok) throw new Error(`keyside: ${source.url} answered ${source.status} ${source.statusText}; ${BRING}`)
  try {
    // A server that calls the module something else than application/wasm does not allow compiling as it comes in.
    if (isResponse && source.headers.get('content-type')?.startsWith('application/wasm')) return await WebAssembly.compileStreaming(source)
    const bytes = isResponse ? await source.arrayBuffer() : (source as BufferSource)
    const start = (ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes)).subarray(0, 8)
    if (String(start.subarray(0, 4)) !== '0,97,115,109') {
      const origin = isResponse ? `${source.url}, which came as ${source.headers.get('content-type')},` : 'what was given as wasm'
      throw new Error(`keyside: ${origin} is no wasm module, but begins with ${JSON.stringify(String.fromCharCode(...start))}; ${BRING}`)
    }
    return await WebAssembly.compile(bytes)
  } catch (error) {
    throw explain(error as Error)
  }
}

const BRING = 'serve keyside.wasm beside the code of the package, or say where it is: open({ wasm })'

function unreachable(url: string) {
  return (cause: Error): never => {
    throw new Error(`keyside: ${url} cannot be read (${cause.message}); ${BRING}, and have connect-src in the page's policy allow it`, { cause })
  }
}

/** An error of the runtime's own, with what helps. */
function explain(error: Error): Error {
  const { message } = error
  if (/unsafe-eval|Content Security Policy/i.test(message)) return new Error(`keyside: the policy of the page forbids wasm; add 'wasm-unsafe-eval' to its script-src`, { cause: error })
  if (/magic/.test(message)) return new Error(`keyside: what came as wasm is no wasm module (${message}); ${BRING}`, { cause: error })
  if (/disallowed by embedder/.test(message)) return new Error('keyside: wasm from bytes is forbidden here; import keyside.wasm as a module and bring it: open({ wasm })', { cause: error })
  return error
}
