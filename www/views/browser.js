// The browser: keys by prefix or by pattern, and the chosen one with an editor for its type. It follows the store by
// keyspace notifications, through a connection of its own, while it is shown.

import { EDITORS } from '../browser/editors.js'
import { Keys } from '../browser/keys.js'
import { LongList } from '../browser/long-list.js'
import { Client } from '../client.js'
import { element } from '../element.js'
import { fill } from '../filling.js'
import { readAll } from '../reply.js'
import { remaining, size } from '../units.js'

const SECOND = 1000
const FIRST_ENTRIES = 200
const TYPES = ['string', 'hash', 'list', 'set', 'zset', 'stream']
/** What the button adds. */
const MANY = 1_000_000
/** While keys are still found, their list is drawn anew this often, in milliseconds. */
const REDRAW = 150

export function create(context) {
  return new Browser(context)
}

class Browser {
  #connect
  #client
  #listener = null
  /** The events that were notified of before, and those that are while this is shown. */
  #before = ''
  #wanted = ''
  #prefix = ''
  #selected = null
  #limit = FIRST_ENTRIES
  #timer
  #redraw = 0
  /** Ends the filling, while there is one. */
  #filled = null
  #stale = false

  constructor({ host, connect, touch }) {
    this.#connect = connect
    this.touch = touch
    this.#client = new Client(connect)
    this.keys = new Keys(this.#client, () => this.#redrawSoon())
    this.list = new LongList('Keys', (item) => this.#row(item))
    this.pattern = element('input', { type: 'search', class: 'mono', placeholder: 'user:*', 'aria-label': 'Pattern of keys', autocomplete: 'off', spellcheck: 'false' })
    this.type = element('select', { 'aria-label': 'Type of keys' }, element('option', { value: '' }, 'every type'), ...TYPES.map((it) => element('option', { value: it }, it)))
    this.status = element('div', { class: 'status-line', role: 'status' })
    this.path = element('div', { class: 'path' })
    this.detail = element('article', { 'aria-label': 'The chosen key' })
    const search = element('form', { class: 'search', role: 'search' }, this.pattern, this.type)
    search.addEventListener('submit', (event) => event.preventDefault())
    search.addEventListener('input', () => this.#search())
    host.addEventListener('moved', () => this.#moved())
    this.element = element('section', { class: 'view split browser', 'aria-label': 'Browser' }, element('div', { class: 'finder' }, search, this.path, this.list.element, this.status), this.detail)
  }

  /** The path is a key, or a prefix that ends with a colon. */
  show(path) {
    const isFirst = !this.#listener
    if (isFirst) this.#start()
    this.#limit = FIRST_ENTRIES
    const isFolder = path === '' || path.endsWith(':')
    this.#selected = isFolder ? null : path
    const prefix = isFolder || !path.startsWith(this.#prefix) ? path.slice(0, path.lastIndexOf(':') + 1) : this.#prefix
    if (prefix !== this.#prefix || isFirst) {
      this.#prefix = prefix
      this.#search()
    } else this.list.refresh()
    this.#open()
  }

  hide() {
    clearInterval(this.#timer)
    this.keys.stop()
    this.#filled?.abort()
    this.#listener?.close()
    this.#listener = null
    if (this.#config() === this.#wanted) this.#client.call('CONFIG', 'SET', 'notify-keyspace-events', this.#before)
  }

  #start() {
    this.#before = this.#config()
    this.#client.call('CONFIG', 'SET', 'notify-keyspace-events', `${this.#before}EAn`)
    this.#wanted = this.#config()
    this.#listen()
    this.#timer = setInterval(() => this.#tick(), SECOND)
  }

  #listen() {
    this.#listener = new Client(this.#connect, {
      onPush: (bytes) => this.#heard(bytes),
      prepare: (connection) => connection.send('PSUBSCRIBE', '__keyevent@0__:*'),
    })
  }

  /** There is another store, with other data. */
  #moved() {
    if (!this.#listener) return
    this.#listener.close()
    this.#listen()
    this.#search()
    this.#open()
  }

  #config() {
    return this.#client.call('CONFIG', 'GET', 'notify-keyspace-events')['notify-keyspace-events']
  }

  #search() {
    const pattern = this.pattern.value.trim()
    this.list.element.scrollTop = 0
    this.keys.find(pattern ? { pattern, type: this.type.value } : { prefix: this.#prefix, type: this.type.value })
  }

  #heard(bytes) {
    for (const { value } of readAll(bytes)) {
      const [kind, , channel, key] = value.map((it) => (it.kind === '$' ? new TextDecoder().decode(it.value) : it.value))
      if (kind !== 'pmessage') continue
      this.keys.follow(channel.slice(channel.indexOf(':') + 1), key)
      if (key === this.#selected) this.#stale = true
    }
    this.#redrawSoon()
  }

  #tick() {
    this.keys.check()
    this.list.refresh()
    this.#showLife()
  }

  /** Draws at most so often: what many events change is drawn once. */
  #redrawSoon() {
    this.#redraw ||= setTimeout(() => {
      this.#redraw = 0
      if (!this.#listener) return
      this.#draw()
      // What is being typed is not taken away.
      if (this.#stale && !this.detail.contains(document.activeElement)) this.#open()
    }, REDRAW)
  }

  #draw() {
    const isSearch = this.pattern.value.trim() !== ''
    this.list.items = this.keys.items
    const count = this.keys.count.toLocaleString('en')
    this.status.textContent = this.keys.isComplete ? `${count} ${count === '1' ? 'key' : 'keys'}` : `${count} keys so far …`
    this.path.replaceChildren(...(isSearch ? [element('span', { class: 'faint' }, 'found everywhere')] : crumbs(this.#prefix)))
    if (this.keys.isComplete && this.keys.count === 0) this.status.textContent = isSearch || this.type.value ? 'No key is like that.' : 'No keys yet: run a recipe, or SET one in the terminal.'
  }

  /** The row of a key, or of a folder. */
  #row(key) {
    if (typeof key !== 'string') return this.#folderRow(key)
    const type = this.#client.call('TYPE', key)
    const life = remaining(this.#client.call('PTTL', key))
    const name = this.pattern.value.trim() ? key : key.slice(this.#prefix.length)
    return element('a', { class: 'row', href: address(key), 'data-id': key, 'aria-current': key === this.#selected && 'true' }, element('span', { class: `badge ${type}` }, type), element('span', { class: 'name' }, name), element('span', { class: 'faint' }, life))
  }

  #folderRow({ folder, count }) {
    return element('a', { class: 'row folder', href: address(folder), 'data-id': folder }, element('span', { class: 'name' }, folder.slice(this.#prefix.length)), element('span', { class: 'faint' }, count.toLocaleString('en')))
  }

  /** Shows the chosen key, read anew. */
  #open() {
    this.#stale = false
    const key = this.#selected
    if (key === null) return this.detail.replaceChildren(...this.#nothing())
    const type = this.#client.call('TYPE', key)
    if (type === 'none') return this.detail.replaceChildren(element('h2', {}, key), element('p', { class: 'notice' }, 'This key is not there, or no longer.'))
    const encoding = this.#client.call('OBJECT', 'ENCODING', key)
    this.life = element('b', {})
    const facts = [['type', type], ['encoding', encoding], ['memory', size(this.#client.call('MEMORY', 'USAGE', key))], ['expires in', this.life]]
    const refused = element('p', { class: 'error', role: 'alert', hidden: true })
    const place = { client: this.#client, key, limit: this.#limit, change: (work) => this.#change(work, refused), more: () => this.#more() }
    this.detail.replaceChildren(
      element('h2', { class: 'mono' }, key),
      element('dl', { class: 'facts' }, ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)))),
      this.#acts(key, place.change),
      refused,
      ...(EDITORS[type] ?? (() => []))(place),
    )
    this.#showLife()
  }

  #showLife() {
    if (this.#selected === null || !this.life?.isConnected) return
    const left = this.#client.call('PTTL', this.#selected)
    this.life.textContent = left < 0 ? 'never' : remaining(left)
    if (left === -2) this.#open()
  }

  #acts(key, change) {
    const seconds = element('input', { type: 'number', min: 1, class: 'mono seconds', placeholder: 'seconds', 'aria-label': 'Seconds to live' })
    const act = (text, ...words) => {
      const made = element('button', { type: 'button' }, text)
      made.addEventListener('click', () => change(() => this.#client.call(...words.map((it) => (typeof it === 'function' ? it() : it)))))
      return made
    }
    return element('div', { class: 'actions' }, seconds, act('Expire', 'EXPIRE', key, () => seconds.value), act('Persist', 'PERSIST', key), act('Delete', 'UNLINK', key))
  }

  #change(work, refused) {
    try {
      work()
    } catch (error) {
      refused.textContent = error.message
      refused.hidden = false
      return
    }
    this.touch()
    this.#open()
  }

  #more() {
    this.#limit *= 5
    this.#open()
  }

  #nothing() {
    const key = element('input', { class: 'mono', placeholder: 'key', 'aria-label': 'New key', required: true, autocomplete: 'off' })
    const value = element('input', { class: 'mono', placeholder: 'value', 'aria-label': 'Its value', autocomplete: 'off' })
    const form = element('form', { class: 'actions' }, key, value, element('button', { type: 'submit' }, 'Set'))
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#client.call('SET', key.value, value.value)
      this.touch()
      location.hash = address(key.value)
    })
    return [element('h2', {}, 'Keys'), element('p', {}, 'Choose a key to see what is in it and to change it. Keys are grouped by what stands before a colon; a pattern such as user:* or *:name finds them anywhere. What changes in the store changes here.'), form, this.#filling()]
  }

  /** A button that adds many keys, and that stops when it is pressed again. */
  #filling() {
    const button = element('button', { type: 'button' }, 'Add a million keys')
    button.addEventListener('click', async () => {
      if (this.#filled) return this.#filled.abort()
      this.#filled = new AbortController()
      // A million messages would tell what one search finds.
      this.#listener.close()
      this.keys.stop()
      await fill(this.#client, { count: MANY, prefix: 'many', signal: this.#filled.signal, onProgress: (done) => (button.textContent = `Stop at ${done.toLocaleString('en')}`) })
      this.#filled = null
      button.textContent = 'Add a million keys'
      this.touch()
      if (!this.#listener) return
      this.#listen()
      this.#search()
    })
    return element('p', { class: 'actions' }, button)
  }
}

function crumbs(prefix) {
  const parts = prefix.split(':').slice(0, -1)
  const link = (text, to) => element('a', { href: address(to) }, text)
  return [link('all keys', ''), ...parts.flatMap((part, i) => [' › ', link(part || '(empty)', `${parts.slice(0, i + 1).join(':')}:`)])]
}

function address(key) {
  return `#/browser/${encodeURIComponent(key)}`
}
