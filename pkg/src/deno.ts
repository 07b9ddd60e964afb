/** keyside in Deno: the module is imported as a module (build.js adds the word `source`), which needs no permission to read. */
import module from './keyside.wasm'
import { FILES } from './file-places.js'
import { compile, openWith, type OpenOptions } from './open.js'
import type { Store } from './store.js'

export * from './api.js'

/** Opens a new store, which shares nothing with others. */
export async function open(options: OpenOptions = {}): Promise<Store> {
  return openWith(await compile(options.wasm ?? (module as WebAssembly.Module), fetch), options, FILES)
}
