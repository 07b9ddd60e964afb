/** keyside without its module: whoever opens a store brings it, or where it is. */
import { BROWSER } from './browser-places.js'
import { compile, openWith, type OpenOptions, type Source } from './open.js'
import type { Store } from './store.js'

export * from './api.js'

/** How a store is opened where nothing is known of the module. */
export interface SlimOptions extends OpenOptions {
  /** The module: `keyside/keyside.wasm` or `keyside/lite.wasm`, as bytes, compiled, or by its URL. */
  wasm: Source | Promise<Source>
}

/** Opens a new store, which shares nothing with others. */
export async function open(options: SlimOptions): Promise<Store> {
  if (options?.wasm === undefined) throw new TypeError('open: keyside/slim needs the module: open({ wasm })')
  return openWith(await compile(options.wasm, fetch), options, BROWSER)
}
