/** Opening a store, wherever the module comes from. */
import { Instance } from './instance.js'
import { Store, fingerprint } from './store.js'

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
}

/** Makes a store of the module. */
export async function openWith(module: WebAssembly.Module, options: OpenOptions): Promise<Store> {
  const instance = await Instance.start(module, options.now ?? Date.now)
  if (instance.fingerprint() !== fingerprint()) throw new Error('keyside: keyside.wasm is not of the same version as the package')
  if (options.snapshot !== undefined) instance.load(options.snapshot)
  const store = new Store(instance)
  const { maxmemory = 0, maxmemoryPolicy = 'noeviction' } = options
  if (maxmemory) store.config_set({ maxmemory: String(maxmemory), 'maxmemory-policy': maxmemoryPolicy })
  return store
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
      modules.set(url, (module = fetchBytes(url).then(compileBytes)))
      module.catch(() => modules.delete(url))
    }
    return module
  }
  return compileBytes(source as Response | BufferSource)
}

async function compileBytes(source: Response | BufferSource): Promise<WebAssembly.Module> {
  if (typeof Response === 'undefined' || !(source instanceof Response)) return WebAssembly.compile(source as BufferSource)
  if (!source.ok) throw new Error(`keyside: ${source.url} answered ${source.status} ${source.statusText}`)
  // A server that calls the module something else than application/wasm does not allow compiling as it comes in.
  if (source.headers.get('content-type')?.startsWith('application/wasm')) return WebAssembly.compileStreaming(source)
  return WebAssembly.compile(await source.arrayBuffer())
}
