// The row of connections: each tab has a terminal, one of them is shown, and the others count the messages they get.

import { element } from './element.js'

export class Tabs {
  #tabs = []
  #made = 0
  #list
  #panels
  #closer
  #open

  /** Tabs in `list` with their panels in `panels`. `open(onMessage)` makes a terminal; `closer` closes the shown one. */
  constructor({ list, panels, closer, open }) {
    this.#list = list
    this.#panels = panels
    this.#closer = closer
    this.#open = open
    closer.addEventListener('click', () => this.close(this.current))
  }

  /** The one that is shown. */
  get current() {
    return this.#tabs.find(({ panel }) => !panel.hidden)
  }

  /** The one after `tab`, or a new one. */
  beside(tab) {
    return this.#tabs[this.#tabs.indexOf(tab) + 1] ?? this.add()
  }

  /** Adds a connection, and shows it if no other is shown. */
  add() {
    const number = ++this.#made
    const name = `client ${number}`
    const unread = element('span', { class: 'unread', hidden: true })
    const button = element('button', { type: 'button', role: 'tab', id: `tab-${number}`, 'aria-controls': `panel-${number}`, 'aria-selected': 'false', tabindex: -1 }, name, unread)
    const made = { name, button, unread, messages: 0 }
    made.terminal = this.#open((count) => this.#count(made, count))
    made.panel = made.terminal.element
    made.panel.id = `panel-${number}`
    made.panel.setAttribute('role', 'tabpanel')
    made.panel.setAttribute('aria-labelledby', button.id)
    made.panel.hidden = true
    button.addEventListener('click', () => this.select(made))
    button.addEventListener('keydown', (event) => {
      if (this.#key(made, event.key)) event.preventDefault()
    })
    this.#tabs.push(made)
    this.#list.append(button)
    this.#panels.append(made.panel)
    this.#closer.hidden = this.#tabs.length < 2
    if (!this.current) this.select(made)
    return made
  }

  /** All terminals. */
  get terminals() {
    return this.#tabs.map(({ terminal }) => terminal)
  }

  /** Shows one, and has it ready for typing. */
  select(chosen) {
    this.#show(chosen)
    chosen.terminal.focus()
  }

  /** Ends a connection, unless it is the last. */
  close(tab) {
    if (this.#tabs.length < 2) return
    const at = this.#tabs.indexOf(tab)
    this.#tabs.splice(at, 1)
    if (!tab.panel.hidden) this.select(this.#tabs[Math.min(at, this.#tabs.length - 1)])
    tab.terminal.close()
    tab.button.remove()
    tab.panel.remove()
    this.#closer.hidden = this.#tabs.length < 2
  }

  #show(chosen) {
    for (const { button, panel } of this.#tabs) {
      const isChosen = button === chosen.button
      button.setAttribute('aria-selected', isChosen)
      button.tabIndex = isChosen ? 0 : -1
      panel.hidden = !isChosen
    }
    const { log } = chosen.terminal
    log.scrollTop = log.scrollHeight
    chosen.button.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    chosen.messages = 0
    chosen.unread.hidden = true
    chosen.button.removeAttribute('aria-label')
  }

  #count(tab, count) {
    if (!tab.panel.hidden) return
    tab.messages += count
    tab.unread.textContent = tab.messages
    tab.unread.hidden = false
    tab.button.setAttribute('aria-label', `${tab.name}, ${tab.messages} unread`)
  }

  /** Whether the key means something on a tab. */
  #key(tab, key) {
    const at = this.#tabs.indexOf(tab)
    const count = this.#tabs.length
    const to = { ArrowLeft: (at + count - 1) % count, ArrowRight: (at + 1) % count, Home: 0, End: count - 1 }[key]
    if (to !== undefined) {
      this.#show(this.#tabs[to])
      this.#tabs[to].button.focus()
    } else if (key === 'Delete') this.close(tab)
    else return false
    return true
  }
}
