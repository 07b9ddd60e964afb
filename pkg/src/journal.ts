/** The engine's side of a store that is kept: numbers and bytes across the boundary, and nothing of where they are kept. */
import type { Exports, Instance, Log } from './instance.js'

export class Journal {
  readonly #instance: Instance

  constructor(instance: Instance) {
    this.#instance = instance
  }

  /** Keeps all that happens from now on, and tells `log` so; or keeps it no more. */
  keep(log: Log | undefined) {
    this.#instance.log = log
    this.#call((exports) => exports.keep_journal(log !== undefined))
  }

  /** How many bytes wait to be taken. */
  length(): number {
    return this.#call((exports) => exports.journal_len())
  }

  /** The bytes that wait, and the position in the journal after them. */
  take(): { bytes: Uint8Array; position: number } {
    const position = this.#call((exports) => exports.take_journal())
    return { bytes: this.#instance.outcome(), position }
  }

  /** Tells the engine what is kept; returns what it wants, as src/js/journal.rs has it. */
  kept(position: number, size: number, baseSize: number): number {
    const wanted = this.#call((exports) => exports.journal_kept(position, size, baseSize))
    // Those who waited have their answers.
    this.#instance.outcome()
    return wanted
  }

  /** All that is stored, as a base. What is logged from now on follows it. */
  wholeBase(): Uint8Array {
    this.#call((exports) => exports.whole_base())
    return this.#instance.outcome()
  }

  beginRewrite() {
    this.#call((exports) => exports.begin_rewrite())
  }

  rewriteStep(): { bytes: Uint8Array; more: boolean } {
    const more = this.#call((exports) => exports.rewrite_step()) !== 0
    return { bytes: this.#instance.outcome(), more }
  }

  rewriteEnded(isKept: boolean) {
    this.#call((exports) => exports.rewrite_ended(isKept, this.#instance.now()))
  }

  /** Fills the store with the next bytes of a part; throws a SyntaxError when they make no sense. */
  loadPart(bytes: Uint8Array) {
    const refusal = this.#instance.feed(bytes, (length) => this.#instance.exports.load_part(length, this.#instance.now()))
    if (refusal !== undefined) throw new SyntaxError(refusal)
  }

  /** Ends a part: up to where it is whole if it is torn, or that it is a base that ends too early. */
  endPart(): number | 'base' | undefined {
    const whole = this.#call((exports) => exports.end_part())
    this.#instance.outcome()
    return whole === -1 ? undefined : whole === -2 ? 'base' : whole
  }

  #call<T>(work: (exports: Exports) => T): T {
    this.#instance.check()
    return this.#instance.guarded(() => work(this.#instance.exports))
  }
}
