/** Where browsers can keep a store. What a place needs is loaded when it is asked for. */
import type { Places } from './open.js'

export const BROWSER: Places = {
  opfs: async (name) => (await import('./opfs.js')).opfsStorage(name),
  idb: async (name) => (await import('./idb.js')).idbStorage(name),
}
