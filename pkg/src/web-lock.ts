/** A name that one store of all tabs and workers has, until it gives it back or its page is gone. */
import { TakenError, UnavailableError } from './storage.js'

/** A page that is loaded anew finds the name of the page before it still taken for a moment. */
const PATIENCE_MS = 1000

export class WebLock {
  readonly #name: string
  #release: (() => void) | undefined
  /** Whether somebody took it by force. */
  isLost = false

  constructor(name: string) {
    this.#name = name
  }

  /** Takes the name; from whoever has it, if `steals`. */
  async take(steals = false) {
    const { locks } = navigator as { locks?: LockManager }
    if (!locks) throw new UnavailableError('there are no Web Locks here, so two tabs could write the same data; serve the page by https or from localhost')
    await new Promise<void>((resolve, reject) => {
      const held = locks.request(this.#name, steals ? { steal: true } : { signal: AbortSignal.timeout(PATIENCE_MS) }, () => {
        resolve()
        return new Promise<void>((release) => (this.#release = release))
      })
      held.catch((error) => {
        this.isLost = this.#release !== undefined
        const isTaken = (error as Error).name === 'TimeoutError'
        reject(isTaken ? new TakenError(this.#name, 'close the other tab or store, or share one store among tabs with keyside/shared') : error)
      })
    })
  }

  release() {
    this.#release?.()
    this.#release = undefined
  }
}
