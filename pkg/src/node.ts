/** keyside in Node: the module is read from the file beside this one. */
import { FILES } from './file-places.js'
import { compile, openWith, type OpenOptions } from './open.js'
import { read } from './read.js'
import type { Store } from './store.js'

export * from './api.js'

/** Opens a new store, which shares nothing with others. */
export async function open(options: OpenOptions = {}): Promise<Store> {
  return openWith(await compile(options.wasm ?? new URL('./keyside.wasm', import.meta.url), read), options, FILES)
}
