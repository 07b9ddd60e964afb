/** keyside in one file of JavaScript: the module is part of it, compressed, for bundlers that know nothing of wasm. */
import { BROWSER } from './browser-places.js'
import { compile, openWith, type OpenOptions } from './open.js'
import { PACKED } from './packed.js'
import type { Store } from './store.js'

export * from './api.js'

let module: Promise<WebAssembly.Module> | undefined

/** Opens a new store, which shares nothing with others. */
export async function open(options: OpenOptions = {}): Promise<Store> {
  return openWith(await (options.wasm === undefined ? (module ??= unpack()) : compile(options.wasm, fetch)), options, BROWSER)
}

async function unpack(): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(PACKED), (character) => character.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return WebAssembly.compile(await new Response(stream).arrayBuffer())
}
