/** keyside in Vercel's edge runtime and Next's proxy: as in Cloudflare's workers, by another spelling. */
import module from './keyside.wasm?module'
import { compile, openWith, type OpenOptions } from './open.js'
import type { Store } from './store.js'

export * from './api.js'

/** Opens a new store, which shares nothing with others. */
export async function open(options: OpenOptions = {}): Promise<Store> {
  return openWith(await compile(options.wasm ?? module, fetch), options, {})
}
