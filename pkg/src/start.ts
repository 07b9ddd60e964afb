/** What a page and the worker that has a store for it tell each other first. */
import type { OpenOptions } from './open.js'
import type { PersistEvent } from './storage.js'

/** How a store is opened in a worker: what can be sent there. */
export type HostOptions = Omit<OpenOptions, 'wasm' | 'now' | 'onPersist' | 'persist'> & {
  /** The module, if it does not lie beside the package's code. */
  wasm?: string | URL | WebAssembly.Module
  /** Where the store is kept. */
  persist?: string
}

/** What the worker is told first. */
export type Start = { start: 'alone'; options: HostOptions } | { start: 'shared'; options: HostOptions; name: string }

/** What it tells. */
export type Told = { ready: true } | { failed: string; name: string } | { event: PersistEvent }
