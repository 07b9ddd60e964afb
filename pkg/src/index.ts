/** keyside in a browser, a worker, Deno, Bun: the module is fetched from beside this file. */
import { BROWSER } from './browser-places.js'
import { compile, openWith, type OpenOptions } from './open.js'
import type { Store } from './store.js'

export * from './api.js'

/** Opens a new store, which shares nothing with others. */
export async function open(options: OpenOptions = {}): Promise<Store> {
  return openWith(await compile(options.wasm ?? new URL('./keyside.wasm', import.meta.url), fetch), options, BROWSER)
}
