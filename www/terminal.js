// One terminal is one connection: a prompt, what was typed before, completion, and everything the store says.

import { Choices } from './choices.js'
import { argumentAt, commandOf, completions } from './commands.js'
import { element } from './element.js'
import { History } from './history.js'
import { split } from './line.js'
import { readAll, show } from './reply.js'
import { Session } from './session.js'

const KEPT_ENTRIES = 500

const encoder = new TextEncoder()

/** What the terminal answers itself. */
const OWN_COMMANDS = ['HELP', 'CLEAR']

export class Terminal {
  #connect
  #connection
  #commands
  #session = new Session()
  #history = new History()
  #frame
  #onRun
  #onMessage
  #prepare
  /** Lines that wait until another is done. */
  #waiting = null

  /**
   * A terminal on the connection that `connect` opens, and opens again when it has ended. `commands` is the command table;
   * `onRun` hears of every line, `onMessage` of what comes by itself. `prepare` is asked before a command is sent, and returns
   * a promise and what to say meanwhile where it has to wait.
   */
  constructor({ connect, commands, onRun, onMessage, prepare }) {
    this.#connect = connect
    this.#prepare = prepare
    this.#commands = commands
    this.#onRun = onRun
    this.#onMessage = onMessage
    this.log = element('div', { class: 'log', role: 'log', tabindex: 0, 'aria-label': 'Replies' })
    this.prompt = element('span', { class: 'prompt', 'aria-hidden': 'true' })
    this.input = element('input', { type: 'text', 'aria-label': 'Command', autocomplete: 'off', autocapitalize: 'off', autocorrect: 'off', spellcheck: 'false', enterkeyhint: 'send' })
    this.choices = new Choices(this.input, ({ line }) => this.#write(line))
    this.hint = element('div', { class: 'hint' })
    this.element = element('div', { class: 'panel' }, this.log, element('div', { class: 'ask' }, this.prompt, this.input, this.choices.element), this.hint)
    this.#listen()
    this.#open()
  }

  /** Shows something above all replies, until the first command. */
  greet(greeting) {
    this.log.append(greeting)
  }

  /** Types a line and presses Enter. */
  run(line) {
    if (this.#waiting) return void this.#waiting.push(line)
    this.log.querySelector('.greeting')?.remove()
    this.#history.add(line)
    this.#print('asked', element('span', { class: 'prompt' }, `${this.#session.prompt} `), line)
    const words = split(line)
    const [name, ...topic] = line.trim().toLowerCase().split(/\s+/)
    if (words === null) this.#print('error', 'The quotes are not balanced.')
    else if (name === 'clear') this.#clear()
    else if (name === 'help') this.#explain(topic.join(' '))
    else if (words.length > 0) this.#ask(words)
    this.#onRun()
  }

  /** Has it ready for typing, but where that opens a keyboard on the screen, which would cover what there is to see. */
  focus() {
    if (!matchMedia('(pointer: coarse)').matches) this.input.focus({ preventScroll: true })
  }

  close() {
    this.#connection.close()
  }

  #open() {
    this.#connection = this.#connect()
    this.#connection.on('push', (bytes) => this.#received(bytes))
    this.#session = new Session()
    this.#showPrompt()
    this.#showHint()
  }

  /** Sends a command, at once or when everything is there for it; what is typed meanwhile comes after it. */
  #ask(words) {
    const wait = this.#prepare?.(words)
    if (!wait) return this.#send(words)
    this.#waiting = []
    const wasQueueing = this.#session.isQueueing
    const note = this.#print('note', wait.saying)
    wait.done
      .then(() => {
        note.remove()
        if (wasQueueing) this.#print('error', 'The transaction began before scripts could run, and is gone. Begin it again.')
        else this.#send(words)
      })
      .catch((error) => {
        note.remove()
        this.#print('error', error.message)
      })
      .finally(() => {
        const waiting = this.#waiting
        this.#waiting = null
        for (const line of waiting) this.run(line)
        this.#onRun()
      })
  }

  /** Goes on with another store: on a new connection, with the same database. */
  move() {
    const { database } = this.#session
    this.#open()
    if (database) this.#send([encoder.encode('SELECT'), encoder.encode(String(database))], true)
  }

  #send(words, isSilent = false) {
    let bytes
    try {
      bytes = this.#connection.send(...words)
    } catch {
      // It has ended: by QUIT, or by another's CLIENT KILL.
      try {
        this.#open()
        bytes = this.#connection.send(...words)
        this.#print('note', 'The connection had ended; this is a new one.')
      } catch (error) {
        return this.#print('error', error.message)
      }
    }
    const replies = readAll(bytes)
    if (replies.length === 0) this.#print('note', 'No answer so far.')
    for (const reply of replies) {
      if (!isSilent) this.#print(reply.kind === '>' ? 'message' : 'reply', show(reply))
      if (reply.kind !== '>') this.#session.follow(words, reply)
    }
    this.#showPrompt()
  }

  #received(bytes) {
    const { log } = this
    const isAtEnd = log.scrollTop + log.clientHeight > log.scrollHeight - 40
    const replies = readAll(bytes)
    for (const reply of replies) this.#append('message', [show(reply)])
    // Who reads what came before is left to it.
    if (isAtEnd) this.#scrollToEnd()
    this.#onMessage(replies.length)
  }

  #showPrompt() {
    this.prompt.textContent = this.#session.prompt
  }

  #print(className, ...parts) {
    const entry = this.#append(className, parts)
    this.#scrollToEnd()
    return entry
  }

  #append(className, parts) {
    const { log } = this
    const entry = element('div', { class: className }, ...parts)
    log.append(entry)
    while (log.childElementCount > KEPT_ENTRIES) log.firstElementChild.remove()
    return entry
  }

  /** Scrolls with the next frame: to do so at once would lay out the log for every line of many. */
  #scrollToEnd() {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      this.log.scrollTop = this.log.scrollHeight
    })
  }

  #clear() {
    this.log.replaceChildren()
  }

  #explain(topic) {
    const command = commandOf(this.#commands, topic)
    const all = [...this.#commands.values()].filter(({ isContainer }) => !isContainer)
    const groups = [...new Set(all.map(({ group }) => group))]
    const group = topic.replace(/^@/, '')
    if (command?.isContainer) this.#list(all.filter(({ name }) => name.startsWith(`${command.name} `)), command.summary)
    else if (command) this.#describe(command)
    else if (groups.includes(group)) this.#list(all.filter((it) => it.group === group), `The commands of the group ${group}:`)
    else this.#print('note', topic ? `There is no command ${topic.toUpperCase()}.\n` : '', `help COMMAND explains a command, help GROUP lists those of a group: ${groups.join(', ')}.`)
  }

  #describe({ name, syntax, summary, since, group, complexity }) {
    this.#print('note', element('b', {}, [name, ...syntax].join(' ')), `\n${summary}\n`, element('small', {}, [`since ${since}`, group, complexity].filter(Boolean).join(' · ')))
  }

  #list(commands, title) {
    const rows = commands.flatMap(({ name, summary }) => [element('dt', {}, name), element('dd', {}, summary)])
    this.#print('note', title, element('dl', {}, ...rows))
  }

  /** Says what the command being typed is, and marks the argument. */
  #showHint() {
    const line = this.input.value
    const command = commandOf(this.#commands, line)
    if (!command) {
      const [first] = line.trim().toUpperCase().split(/\s+/)
      const isOwn = OWN_COMMANDS.some((name) => name.startsWith(first))
      if (this.choices.isOpen) this.hint.replaceChildren('Tab takes the first, ↑ and ↓ choose another.')
      else this.hint.replaceChildren(isOwn ? 'Type a command; Tab completes, help explains.' : `There is no command ${first}.`)
      return
    }
    const at = argumentAt(command, line)
    const syntax = command.syntax.flatMap((part, i) => [' ', i === at ? element('mark', {}, part) : part])
    this.hint.replaceChildren(element('code', {}, command.name, ...syntax), element('span', {}, command.summary))
  }

  #write(line) {
    this.input.value = line
    this.input.setSelectionRange(line.length, line.length)
    this.choices.hide()
    this.#showHint()
  }

  #listen() {
    const { input, log } = this
    input.addEventListener('keydown', (event) => {
      if (!event.isComposing && this.#key(event)) event.preventDefault()
    })
    input.addEventListener('input', () => {
      const isAtEnd = input.selectionStart === input.value.length
      this.choices.show(isAtEnd ? completions(this.#commands, input.value) : [])
      this.#showHint()
    })
    input.addEventListener('blur', () => this.choices.hide())
    input.addEventListener('paste', (event) => this.#paste(event))
    log.addEventListener('click', () => {
      if (document.getSelection().isCollapsed) this.focus()
    })
  }

  /** Runs every line but the last of what is pasted. */
  #paste(event) {
    const pasted = event.clipboardData.getData('text')
    if (!pasted.includes('\n')) return
    event.preventDefault()
    const { value, selectionStart, selectionEnd } = this.input
    const lines = (value.slice(0, selectionStart) + pasted + value.slice(selectionEnd)).split(/\r?\n/)
    const last = lines.pop()
    for (const line of lines) if (line.trim()) this.run(line)
    this.#write(last)
  }

  /** Whether the key means something here. */
  #key({ key, ctrlKey, shiftKey }) {
    const { choices, input } = this
    if (key === 'Enter') {
      if (choices.hasMark) choices.choose()
      else this.#enter()
    } else if (key === 'Tab' && choices.isOpen && !shiftKey) choices.choose()
    else if (key === 'Escape' && choices.isOpen) choices.hide()
    else if (key === 'Escape' && input.value) this.#write('')
    else if (key === 'ArrowUp') choices.isOpen ? choices.move(-1) : this.#write(this.#history.older(input.value))
    else if (key === 'ArrowDown') choices.isOpen ? choices.move(1) : this.#write(this.#history.newer(input.value))
    else if (key === 'l' && ctrlKey) this.#clear()
    else return false
    return true
  }

  #enter() {
    const line = this.input.value
    this.#write('')
    if (line.trim()) this.run(line)
  }
}
