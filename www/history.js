// What was typed before, and the way through it. The line being typed is the newest, and waits at the end.

export class History {
  #lines = []
  #at = 0
  #draft = ''

  /** Remembers a line, once if it comes several times in a row, and stands behind it. */
  add(line) {
    if (line.trim() && line !== this.#lines.at(-1)) this.#lines.push(line)
    this.#at = this.#lines.length
    this.#draft = ''
  }

  /** The line before the one shown, or that one where there is none. */
  older(shown) {
    if (this.#at === this.#lines.length) this.#draft = shown
    this.#at = Math.max(0, this.#at - 1)
    return this.#lines[this.#at] ?? shown
  }

  /** The line after the one shown, and at last the line that was being typed. */
  newer(shown) {
    if (this.#at === this.#lines.length) return shown
    this.#at++
    return this.#lines[this.#at] ?? this.#draft
  }
}
