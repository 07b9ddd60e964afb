// The list of completions above a line: what is in it, and which is marked. Where they come from is not its business.

import { element } from './element.js'

let lists = 0

export class Choices {
  #input
  #onChoose
  #items = []
  #marked = -1

  /** A list for `input`, which keeps the focus; `onChoose` is called with the chosen item. */
  constructor(input, onChoose) {
    this.#input = input
    this.#onChoose = onChoose
    this.element = element('ul', { class: 'choices', role: 'listbox', id: `choices-${++lists}`, 'aria-label': 'Completions', hidden: true })
    input.setAttribute('role', 'combobox')
    input.setAttribute('aria-autocomplete', 'list')
    input.setAttribute('aria-controls', this.element.id)
    this.show([])
  }

  get isOpen() {
    return this.#items.length > 0
  }

  get hasMark() {
    return this.#marked >= 0
  }

  /** Shows items, each with a name and what it is about; none of them closes the list. */
  show(items) {
    this.#items = items
    this.#marked = -1
    this.element.hidden = items.length === 0
    this.element.scrollTop = 0
    this.#input.setAttribute('aria-expanded', items.length > 0)
    this.#input.removeAttribute('aria-activedescendant')
    this.element.replaceChildren(...items.map((item, i) => this.#row(item, i)))
  }

  hide() {
    if (this.isOpen) this.show([])
  }

  /** Marks the next item, or the one before. */
  move(step) {
    const count = this.#items.length
    this.#marked = this.hasMark ? (this.#marked + step + count) % count : step > 0 ? 0 : count - 1
    Array.from(this.element.children, (row, i) => row.setAttribute('aria-selected', i === this.#marked))
    const row = this.element.children[this.#marked]
    row.scrollIntoView({ block: 'nearest' })
    this.#input.setAttribute('aria-activedescendant', row.id)
  }

  /** Chooses the marked item, or the first. */
  choose() {
    this.#onChoose(this.#items[Math.max(0, this.#marked)])
  }

  #row(item, i) {
    const about = item.about ? [element('span', {}, item.about)] : []
    const row = element('li', { role: 'option', id: `${this.element.id}-${i}`, 'aria-selected': 'false' }, item.name, ...about)
    // Before the input would lose the focus.
    row.addEventListener('pointerdown', (event) => event.preventDefault())
    row.addEventListener('click', () => this.#onChoose(item))
    return row
  }
}
