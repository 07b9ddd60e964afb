// One terminal is one connection: a prompt, what was typed before, completion, and everything the store says.

import { commandOf } from './commands.js'
import { split } from './line.js'
import { readAll, show } from './reply.js'

const KEPT_LINES = 1000
const CHOICES = 12

export class Terminal {
  #connection
  #commands
  #past = []
  #pastAt = 0
  #db = 0
  #queued = false

  /** A terminal on `connection`, filling `panel`. `commands` is the command table; `onActivity` hears of every line. */
  constructor(panel, connection, commands, onActivity) {
    this.#connection = connection
    this.#commands = commands
    this.onActivity = onActivity
    this.log = element('div', { className: 'log', role: 'log', tabIndex: 0, ariaLabel: 'Replies' })
    this.prompt = element('label', { className: 'prompt' })
    this.input = element('input', { type: 'text', autocomplete: 'off', spellcheck: false, ariaLabel: 'Command' })
    this.input.setAttribute('autocapitalize', 'off')
    this.choices = element('ul', { className: 'choices', role: 'listbox', hidden: true, ariaLabel: 'Commands' })
    this.hint = element('div', { className: 'hint' })
    const ask = element('div', { className: 'ask' })
    ask.append(this.prompt, this.input, this.choices)
    panel.append(this.log, ask, this.hint)
    this.input.addEventListener('keydown', (event) => this.#key(event))
    this.input.addEventListener('input', () => { this.#complete(); this.#help() })
    this.input.addEventListener('blur', () => { this.choices.hidden = true })
    connection.on('push', (bytes) => this.#received(bytes))
    this.#showPrompt()
    this.#help()
  }

  /** Types a line and presses Enter. */
  run(line) {
    this.#past.push(line)
    this.#pastAt = this.#past.length
    this.#print('asked', span('prompt', `${this.prompt.textContent} `), line)
    const words = split(line)
    if (words === null) return this.#print('', span('error', 'Quotes are not balanced.'))
    if (words.length === 0) return
    const name = new TextDecoder().decode(words[0]).toLowerCase()
    if (name === 'clear') return this.log.replaceChildren()
    if (name === 'help') return this.#explain(line.trim().slice(4))
    try {
      for (const reply of readAll(this.#connection.send(...words))) {
        this.#print('', show(reply))
        this.#follow(name, words, reply)
      }
    } catch (error) {
      this.#print('', span('error', error.message))
    }
    this.onActivity()
  }

  focus() {
    this.input.focus()
  }

  /** Keeps the prompt true: which database, and whether commands are queued. */
  #follow(name, words, reply) {
    if (reply.kind === '-') return
    if (name === 'select') this.#db = Number(new TextDecoder().decode(words[1]))
    if (name === 'multi') this.#queued = true
    if (['exec', 'discard', 'reset'].includes(name)) this.#queued = false
    if (name === 'reset') this.#db = 0
    this.#showPrompt()
  }

  #showPrompt() {
    this.prompt.textContent = `keyside[${this.#db}]${this.#queued ? '(TX)' : ''}>`
  }

  #received(bytes) {
    for (const reply of readAll(bytes)) this.#print('pushed', show(reply))
    this.onActivity('push')
  }

  #print(className, ...parts) {
    const line = element('div', { className })
    line.append(...parts)
    this.log.append(line)
    while (this.log.childElementCount > KEPT_LINES) this.log.firstElementChild.remove()
    this.log.scrollTop = this.log.scrollHeight
  }

  #explain(topic) {
    const command = commandOf(this.#commands, topic)
    if (!command) return this.#print('note', topic.trim() ? `There is no command ${topic.trim().toUpperCase()}.` : 'help COMMAND explains a command; Tab shows what there is.')
    this.#print('note', `${command.name} ${command.syntax}\n${command.summary}\nsince ${command.since} · ${command.group} · ${command.complexity}`)
  }

  #help() {
    const command = commandOf(this.#commands, this.input.value)
    if (!command) {
      this.hint.replaceChildren('Type a command, for example SET greeting hello')
      return
    }
    const code = document.createElement('code')
    code.textContent = `${command.name} ${command.syntax}`
    this.hint.replaceChildren(code, ` — ${command.summary}`)
  }

  #complete() {
    const typed = this.input.value.trimStart().toUpperCase()
    const found = typed && [...this.#commands.values()].filter((it) => it.name.startsWith(typed) && it.name !== typed).slice(0, CHOICES)
    this.choices.hidden = !found?.length
    this.choices.replaceChildren(...(found || []).map((command) => {
      const item = element('li', { role: 'option', ariaSelected: 'false' })
      item.append(command.name, span('', command.summary))
      item.dataset.name = command.name
      item.addEventListener('mousedown', (event) => { event.preventDefault(); this.#choose(item) })
      return item
    }))
  }

  #choose(item) {
    this.input.value = `${item.dataset.name} `
    this.choices.hidden = true
    this.#help()
  }

  #mark(step) {
    const items = [...this.choices.children]
    const marked = items.findIndex((item) => item.ariaSelected === 'true')
    const next = marked < 0 ? (step > 0 ? 0 : items.length - 1) : (marked + step + items.length) % items.length
    items.forEach((item, i) => { item.ariaSelected = String(i === next) })
    items[next].scrollIntoView({ block: 'nearest' })
  }

  #recall(step) {
    this.#pastAt = Math.max(0, Math.min(this.#past.length, this.#pastAt + step))
    this.input.value = this.#past[this.#pastAt] ?? ''
    this.#help()
  }

  #key(event) {
    const open = !this.choices.hidden
    const marked = open && [...this.choices.children].find((item) => item.ariaSelected === 'true')
    if (event.key === 'Enter') {
      if (marked) this.#choose(marked)
      else {
        const line = this.input.value
        this.input.value = ''
        this.choices.hidden = true
        this.run(line)
        this.#help()
      }
    } else if (event.key === 'Tab' && open && !event.shiftKey) this.#choose(marked || this.choices.firstElementChild)
    else if (event.key === 'Escape' && open) this.choices.hidden = true
    else if (event.key === 'ArrowUp') open ? this.#mark(-1) : this.#recall(-1)
    else if (event.key === 'ArrowDown') open ? this.#mark(1) : this.#recall(1)
    else if (event.key === 'l' && event.ctrlKey) this.log.replaceChildren()
    else return
    event.preventDefault()
  }
}

function element(name, properties) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'role') made.setAttribute('role', value)
    else made[key] = value
  }
  return made
}

function span(className, text) {
  return element('span', { className, textContent: text })
}
