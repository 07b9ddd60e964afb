/** keyside in Bun: importing the module gives its path, also within a compiled program. */
import { pathToFileURL } from 'node:url'

import path from './keyside.wasm'
import { FILES } from './file-places.js'
import { compile, openWith, type OpenOptions } from './open.js'
import { read } from './read.js'
import type { Store } from './store.js'

export * from './api.js'

/** Opens a new store, which shares nothing with others. */
export async function open(options: OpenOptions = {}): Promise<Store> {
  return openWith(await compile(options.wasm ?? pathToFileURL(path as string), read), options, FILES)
}
