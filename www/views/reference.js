// The reference: every command with its arguments, its replies and its transcript, which runs on a store of its own. What the
// replies are made of is not written down anywhere: it is seen when the transcript runs, in both protocols.

import { element } from '../element.js'
import { Scene, shape } from '../reference/scene.js'
import { forms } from '../reference/typings.js'
import { show as typeset } from '../reply.js'

const SHOWN_FORMS = 12
const SHOWN_RAW = 160

export async function create(context) {
  const [sections, ...typings] = await Promise.all([
    load('reference/transcripts.json').then((it) => it.json()),
    ...['commands', 'store'].map((name) => load(`keyside/${name}.d.ts`).then((it) => it.text())),
  ])
  return new Reference(context, sections, typings)
}

async function load(path) {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`)
  return response
}

class Reference {
  #context
  #sections
  #typings
  #names
  #shown
  #links = new Map()

  constructor(context, sections, typings) {
    this.#context = context
    this.#sections = sections
    this.#typings = typings
    this.#names = [...context.commands.keys()]
    this.search = element('input', { type: 'search', class: 'mono', placeholder: 'Search: hset, expire, leaderboard …', 'aria-label': 'Search commands', autocomplete: 'off', spellcheck: 'false' })
    this.list = element('div', { class: 'listing', role: 'list', 'aria-label': 'Commands' })
    this.status = element('div', { class: 'status-line', role: 'status' })
    this.article = element('article', { tabindex: -1, 'aria-label': 'The chosen command' })
    this.element = element('section', { class: 'view split reference', 'aria-label': 'Reference' }, element('div', { class: 'finder', role: 'search' }, this.search, this.list, this.status), this.article)
    this.#fillList()
    this.search.addEventListener('input', () => this.#filter())
    this.element.addEventListener('keydown', (event) => this.#key(event))
  }

  /** The path is the name of a command, with a blank or a dash between its words. */
  show(path) {
    const name = this.#named(path) ?? this.#shown ?? 'SET'
    if (name === this.#shown) return
    this.#shown = name
    for (const [of, link] of this.#links) link.toggleAttribute('aria-current', of === name)
    this.#links.get(name).scrollIntoView({ block: 'nearest' })
    this.#open(this.#context.commands.get(name))
  }

  hide() {}

  #named(path) {
    const wanted = path.toUpperCase().replaceAll('+', ' ')
    return this.#names.find((name) => name === wanted) ?? this.#names.find((name) => name.replace(' ', '-') === wanted)
  }

  #fillList() {
    for (const [group, names] of grouped(this.#names, (name) => this.#group(name))) {
      const links = names.map((name) => {
        const link = element('a', { href: address(name), class: 'mono' }, name)
        this.#links.set(name, link)
        return element('div', { role: 'listitem' }, link)
      })
      this.list.append(element('div', { role: 'listitem', class: 'group-name' }, group), ...links)
    }
    this.#filter()
  }

  #group(name) {
    return this.#context.commands.get(name).group || 'other'
  }

  /** Shows what fits all words of the search: names, and what commands are about. Names that begin so come first on Enter. */
  #filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean)
    let count = 0
    for (const [name, link] of this.#links) {
      const { summary, group } = this.#context.commands.get(name)
      const text = `${name} ${summary} ${group}`.toLowerCase()
      const fits = words.every((word) => text.includes(word))
      link.parentElement.hidden = !fits
      if (fits) count++
    }
    for (const title of this.list.querySelectorAll('.group-name')) {
      let next = title.nextElementSibling
      while (next?.hidden) next = next.nextElementSibling
      title.hidden = !next || next.className === 'group-name'
    }
    this.status.textContent = count === 0 ? 'No command is like that.' : `${count} commands`
  }

  #key(event) {
    const links = [...this.#links.values()].filter((it) => !it.parentElement.hidden)
    const at = links.indexOf(document.activeElement)
    if (event.key === '/' && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) this.search.select()
    else if (event.key === 'Enter' && event.target === this.search && links.length) location.hash = this.#best(links).hash
    else if (event.key === 'ArrowDown' && (event.target === this.search || at >= 0)) links[Math.min(at + 1, links.length - 1)]?.focus()
    else if (event.key === 'ArrowUp' && at >= 0) (links[at - 1] ?? this.search).focus()
    else return
    event.preventDefault()
  }

  #best(links) {
    const typed = this.search.value.trim().toUpperCase()
    return links.find((it) => it.textContent === typed) ?? links.find((it) => it.textContent.startsWith(typed)) ?? links[0]
  }

  #open(command) {
    const { name, summary, since, group, complexity, syntax, parameters, isContainer } = command
    const facts = [['since', since], ['complexity', complexity], ['group', group], ['kind', this.#categories(name)]].filter(([, value]) => value)
    const written = forms(this.#typings, name).slice(0, SHOWN_FORMS)
    const replies = element('div', {}, element('p', { class: 'notice' }, 'Its transcript is running …'))
    const sections = this.#about(name)
    this.article.replaceChildren(
      element('h2', {}, name),
      element('p', {}, summary),
      ...(isContainer ? [this.#subcommands(name)] : [element('pre', { class: 'usage', tabindex: 0, 'aria-label': 'Usage' }, [name, ...syntax].join(' '))]),
      element('dl', { class: 'facts' }, ...facts.map(([what, value]) => element('div', {}, element('dt', {}, what), element('dd', {}, value)))),
      ...(parameters.length ? [element('h3', {}, 'Arguments'), table('Arguments', ['argument', 'type', ''], parameters.map((it) => [element('code', {}, it.syntax), it.type, [it.isOptional && 'optional', it.isMany && 'one or more'].filter(Boolean).join(', ')]))] : []),
      ...(isContainer ? [] : [element('h3', {}, 'Replies'), replies]),
      ...(written.length ? [element('h3', {}, 'TypeScript'), element('pre', { tabindex: 0, 'aria-label': 'In TypeScript' }, written.map((it) => `db.${it}`).join('\n'))] : []),
      element('h3', {}, 'Transcript'),
      ...(sections.length ? sections.flatMap((it) => this.#section(it)) : [element('p', { class: 'notice' }, 'There is none on the page.')]),
    )
    this.article.scrollTop = 0
    if (!isContainer) this.#observe(name, sections, replies).catch((error) => replies.replaceChildren(element('p', { class: 'error' }, error.message)))
  }

  #subcommands(container) {
    const names = this.#names.filter((it) => it.startsWith(`${container} `))
    return element('ul', { class: 'plain' }, ...names.map((it) => element('li', {}, element('a', { href: address(it), class: 'mono' }, it), ` ${this.#context.commands.get(it).summary}`)))
  }

  /** Flags and categories of access, as COMMAND INFO has them. */
  #categories(name) {
    const [found] = this.#context.client.call('COMMAND', 'INFO', name.replace(' ', '|').toLowerCase())
    return found?.[6].join(' ') ?? ''
  }

  /** The sections whose headings name a command, or else the one that it belongs to. */
  #about(name) {
    const of = (wanted) => this.#sections.filter(({ commands }) => commands.includes(wanted))
    const own = of(name)
    return own.length ? own : of(name.split(' ')[0])
  }

  /** A section with its blocks; each runs after those before it, on a store that nothing else uses. */
  #section({ parts }) {
    const blocks = []
    const made = parts.map((part) => {
      if (part.prose !== undefined) return prose(part.prose)
      const block = new Block(part, () => this.#run(blocks, blocks.indexOf(block)))
      blocks.push(block)
      return block.element
    })
    this.#run(blocks, blocks.length - 1)
    return made
  }

  async #run(blocks, last) {
    const scene = await Scene.begin(await this.#opener())
    try {
      for (let i = 0; i <= last; i++) blocks[i].print(await scene.run(blocks[i].text, blocks[i]))
    } finally {
      scene.end()
    }
  }

  #opener() {
    return this.#context.opener(this.#group(this.#shown) === 'scripting')
  }

  /** Runs the sections in both protocols, and lists what the replies to the command were. */
  async #observe(name, sections, place) {
    const open = await this.#opener()
    const seen = new Map()
    const errors = new Map()
    for (const { parts } of sections) {
      const [old, now] = await Promise.all([Scene.begin(open, 2), Scene.begin(open, 3)])
      for (const { block, resp2 } of parts) {
        if (block === undefined || resp2) continue
        const [before, after] = [await old.run(block), await now.run(block)]
        after.forEach((step, i) => this.#note(name, step, before[i], seen, errors))
      }
      old.end()
      now.end()
    }
    if (this.#shown !== name) return
    const rows = Array.from(seen, ([, { old, now, text }]) => [spelled(old), spelled(now), element('code', {}, text)])
    place.replaceChildren(
      rows.length ? table('Replies', ['RESP2', 'RESP3', 'as to'], rows) : element('p', { class: 'notice' }, 'Its transcript has no reply to it.'),
      ...(errors.size ? [element('ul', { class: 'plain errors' }, ...Array.from(errors.keys(), (it) => element('li', { class: 'error' }, it)))] : []),
    )
  }

  #note(name, { words, text, replies: [now] }, { replies: [old] }, seen, errors) {
    if (!words || !now || !old || (words.join(' ') !== name && words[0] !== name)) return
    if (now.reply.kind === '-') return void errors.set(now.reply.value, text)
    const key = `${shape(old.reply)}|${shape(now.reply)}`
    if (!seen.has(key)) seen.set(key, { old, now, text: text.replace(/^[A-Z]?> /, '') })
  }
}

/** A block of requests, which can be edited, above what came back. */
class Block {
  constructor({ block, resp2 = false }, run) {
    this.resp2 = resp2
    this.area = element('textarea', { class: 'mono', 'aria-label': 'Requests', spellcheck: 'false', rows: block.split('\n').length + 1, hidden: true })
    this.area.value = block
    this.output = element('div', { class: 'transcript', tabindex: 0, role: 'region', 'aria-label': 'Requests with their replies' })
    this.running = element('button', { type: 'button', class: 'primary', hidden: true }, 'Run')
    const edit = element('button', { type: 'button' }, 'Edit')
    edit.addEventListener('click', () => {
      this.area.hidden = this.running.hidden = false
      edit.hidden = true
      this.area.focus()
    })
    this.running.addEventListener('click', run)
    this.area.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run()
    })
    this.element = element('div', { class: 'block' }, this.area, element('div', { class: 'actions' }, edit, this.running), this.output)
  }

  get text() {
    return this.area.value
  }

  print(steps) {
    this.output.replaceChildren(...steps.flatMap(({ text, client, replies }) => [
      element('div', { class: /^[+#]/.test(text) ? 'note' : 'asked' }, text),
      ...replies.map((it) => element('div', { class: it.reply.kind === '>' ? 'message' : 'reply' }, it.client !== client ? `${it.client || 'it'}< ` : '', typeset(it.reply))),
    ]))
  }
}

/** A reply's shape, with the bytes on the wire below. */
function spelled({ reply, raw }) {
  const text = JSON.stringify(new TextDecoder('latin1').decode(raw.subarray(0, SHOWN_RAW))).slice(1, -1).replaceAll('\\"', '"')
  return element('span', {}, shape(reply), element('code', { class: 'wire' }, raw.length > SHOWN_RAW ? `${text}…` : text))
}

/** Paragraphs and lists with `code` in them. */
function prose(text) {
  if (/^\|/.test(text)) return element('pre', { tabindex: 0 }, text)
  if (/^[-*] /.test(text)) return element('ul', {}, ...text.split(/\n(?=[-*] )/).map((it) => element('li', {}, ...inline(it.slice(2)))))
  return element('p', {}, ...inline(text))
}

function inline(text) {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('**', '').split(/`([^`]*)`/).map((part, i) => (i % 2 ? element('code', {}, part) : part))
}

function table(label, heads, rows) {
  return element('div', { class: 'table', tabindex: 0, role: 'region', 'aria-label': label },
    element('table', {}, element('thead', {}, element('tr', {}, ...heads.map((it) => element(it ? 'th' : 'td', {}, it)))), element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((it) => element('td', {}, it)))))))
}

function grouped(items, by) {
  const groups = new Map()
  for (const it of items) groups.set(by(it), [...(groups.get(by(it)) ?? []), it])
  return [...groups].sort()
}

function address(name) {
  return `#/reference/${name.replace(' ', '-')}`
}
