// A list as long as one likes: only the rows that are seen exist. What is in a row is not its business.

import { element } from '../element.js'

const ROW = 34
/** Browsers do not lay out what is much higher; beyond, a list scrolls in proportion. */
const HIGHEST = 8_000_000

export class LongList {
  #items = []
  #draw
  #rows
  #space
  #frame = 0

  /** `draw(item)` makes the element of a row. */
  constructor(label, draw) {
    this.#draw = draw
    this.#rows = element('div', { class: 'rows', role: 'list', 'aria-label': label })
    this.#space = element('div', { class: 'space' }, this.#rows)
    this.element = element('div', { class: 'long-list', tabindex: -1 }, this.#space)
    this.element.addEventListener('scroll', () => this.refresh())
    this.element.addEventListener('keydown', (event) => this.#key(event))
    new ResizeObserver(() => this.refresh()).observe(this.element)
  }

  /** What is in it: an array, or what has a length and a method `at` likewise. */
  set items(items) {
    this.#items = items
    this.#space.style.height = `${Math.min(HIGHEST, items.length * ROW)}px`
    this.refresh()
  }

  /** Draws what is seen anew, with the next frame. */
  refresh() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0
      this.#show()
    })
  }

  #show() {
    const { scrollTop, clientHeight } = this.element
    const seen = Math.ceil(clientHeight / ROW) + 2
    const full = this.#items.length * ROW
    const scale = full > HIGHEST ? (full - clientHeight) / (HIGHEST - clientHeight) : 1
    const first = Math.max(0, Math.min(Math.floor((scrollTop * scale) / ROW) - 1, this.#items.length - seen))
    const focused = this.#rows.contains(document.activeElement) ? document.activeElement.dataset.id : undefined
    this.#rows.style.transform = `translateY(${scale === 1 ? first * ROW : Math.max(0, scrollTop - ROW)}px)`
    this.#rows.replaceChildren(...Array.from({ length: Math.min(seen, this.#items.length - first) }, (_, i) => element('div', { role: 'listitem', 'aria-setsize': this.#items.length, 'aria-posinset': first + i + 1 }, this.#draw(this.#items.at(first + i)))))
    if (focused !== undefined) this.#rows.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true })
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step) return
    const rows = Array.from(this.#rows.children, (it) => it.firstElementChild)
    const next = rows[rows.indexOf(document.activeElement) + step]
    if (!next) return
    event.preventDefault()
    next.focus()
  }
}
