/** Where runtimes with files can keep a store. What a place needs is loaded when it is asked for. */
import type { Places } from './open.js'

export const FILES: Places = {
  file: async (name) => (await import('./file.js')).fileStorage(name),
}
