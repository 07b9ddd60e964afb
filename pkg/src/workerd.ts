/** keyside in Cloudflare's workers and Durable Objects: the module comes compiled, since code from bytes is forbidden there. */
import module from './keyside.wasm'
import { compile, openWith, type OpenOptions } from './open.js'
import type { Store } from './store.js'

export * from './api.js'

/** Opens a new store, which shares nothing with others. A worker has to wait with it until its first request. */
export async function open(options: OpenOptions = {}): Promise<Store> {
  return openWith(await compile(options.wasm ?? (module as WebAssembly.Module), fetch), options, {})
}
