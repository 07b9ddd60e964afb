// What is in a key, by its type, to be seen and changed. Each editor returns elements and calls `changed` after a write;
// a refusal of the store is shown by whoever made it.

import { element } from '../element.js'
import { time } from '../units.js'

/** Of long values, this many entries are shown at first, and more on demand. */
const PAGE = 200
const SHOWN_BITS = 2048

export const EDITORS = { string, hash, list, set, zset, stream }

/**
 * @typedef {object} Place
 * @property {import('../client.js').Client} client
 * @property {string} key
 * @property {number} limit how many entries to show
 * @property {(work: () => void) => void} change runs a write, shows what is refused, and draws the value anew
 * @property {() => void} more asks for more entries
 */

function string({ client, key, change }) {
  const bytes = client.bytes('GET', key)
  if (isCounter(bytes)) return [fact('About so many different things', client.call('PFCOUNT', key)), note('A HyperLogLog: what it was shown cannot be read from it.')]
  const modes = { text: new TextDecoder().decode(bytes), json: pretty(bytes), hex: hexDump(bytes), bits: null }
  const place = element('div')
  const buttons = Object.entries(modes).filter(([mode, text]) => text !== undefined || mode === 'bits').map(([mode]) => button({ 'data-mode': mode }, () => choose(mode), mode === 'json' ? 'JSON' : mode))
  const choose = (mode) => {
    for (const it of buttons) it.setAttribute('aria-pressed', it.dataset.mode === mode)
    place.replaceChildren(...(mode === 'bits' ? bits(client, key, bytes) : mode === 'hex' ? [element('pre', { tabindex: 0 }, modes.hex)] : editable(modes[mode])))
  }
  const editable = (text) => {
    const area = element('textarea', { class: 'mono', rows: Math.min(18, text.split('\n').length + 2), 'aria-label': 'Value', spellcheck: 'false' })
    area.value = text
    return [area, element('div', { class: 'actions' }, button({ class: 'primary' }, () => change(() => client.call('SET', key, area.value, 'KEEPTTL')), 'Save'))]
  }
  choose(isText(bytes) ? (modes.json !== undefined && /^[[{]/.test(modes.text) ? 'json' : 'text') : 'hex')
  return [element('div', { class: 'modes', role: 'group', 'aria-label': 'Shown as' }, ...buttons), place]
}

function hash({ client, key, limit, change, more }) {
  const [cursor, flat] = scanned(client, 'HSCAN', key, limit * 2)
  const rows = pairs(flat).map(([field, value]) => [
    field,
    field_('Value of ' + field, value, (text) => change(() => client.call('HSET', key, field, text))),
    remove(field, () => change(() => client.call('HDEL', key, field))),
  ])
  return [
    table(['field', 'value', ''], rows),
    ...moreOf(cursor !== '0', client.call('HLEN', key), rows.length, more),
    form(['field', 'value'], 'Set', ([field, value]) => change(() => client.call('HSET', key, field, value))),
  ]
}

function list({ client, key, limit, change, more }) {
  const values = client.call('LRANGE', key, 0, limit - 1)
  const rows = values.map((value, i) => [
    element('span', { class: 'faint' }, String(i)),
    field_(`Element ${i}`, value, (text) => change(() => client.call('LSET', key, i, text))),
    remove(`element ${i}`, () => change(() => removeAt(client, key, i))),
  ])
  const length = client.call('LLEN', key)
  return [
    table(['', 'value', ''], rows),
    ...moreOf(length > values.length, length, values.length, more),
    form(['value'], 'Push right', ([value]) => change(() => client.call('RPUSH', key, value))),
  ]
}

/** Redis removes elements by value only, so that the one meant is given a value that no other has. */
function removeAt(client, key, index) {
  const mark = `removed ${crypto.randomUUID()}`
  client.call('LSET', key, index, mark)
  client.call('LREM', key, 1, mark)
}

function set({ client, key, limit, change, more }) {
  const [cursor, members] = scanned(client, 'SSCAN', key, limit)
  const rows = members.map((member) => [member, remove(member, () => change(() => client.call('SREM', key, member)))])
  return [
    table(['member', ''], rows),
    ...moreOf(cursor !== '0', client.call('SCARD', key), rows.length, more),
    form(['member'], 'Add', ([member]) => change(() => client.call('SADD', key, member))),
  ]
}

function zset({ client, key, limit, change, more }) {
  const ranked = client.call('ZRANGE', key, 0, limit - 1, 'REV', 'WITHSCORES')
  const scores = ranked.map(([, score]) => Number(score)).filter(Number.isFinite)
  const [low, high] = [Math.min(0, ...scores), Math.max(...scores, 0)]
  const rows = ranked.map(([member, score], i) => [
    element('span', { class: 'faint' }, String(i + 1)),
    member,
    field_(`Score of ${member}`, String(score), (text) => change(() => client.call('ZADD', key, text, member))),
    bar((Number(score) - low) / (high - low || 1)),
    remove(member, () => change(() => client.call('ZREM', key, member))),
  ])
  const length = client.call('ZCARD', key)
  return [
    table(['rank', 'member', 'score', '', ''], rows),
    ...moreOf(length > rows.length, length, rows.length, more),
    form(['score', 'member'], 'Add', ([score, member]) => change(() => client.call('ZADD', key, score, member))),
  ]
}

function stream({ client, key, limit, change, more }) {
  const entries = client.call('XREVRANGE', key, '+', '-', 'COUNT', limit)
  const length = client.call('XLEN', key)
  const items = entries.map(([id, fields]) =>
    element('li', {}, element('div', { class: 'when' }, element('b', {}, id), ` ${time(Number(id.split('-')[0]))}`, remove(id, () => change(() => client.call('XDEL', key, id)))), element('dl', {}, ...pairs(fields).flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))),
  )
  return [
    ...groups(client, key),
    element('ol', { class: 'timeline' }, ...items),
    ...moreOf(length > entries.length, length, entries.length, more),
    form(['field', 'value'], 'Append', ([field, value]) => change(() => client.call('XADD', key, '*', field, value))),
  ]
}

function groups(client, key) {
  return client.call('XINFO', 'GROUPS', key).map(({ name, pending, 'last-delivered-id': last, consumers }) => {
    const waiting = client.call('XPENDING', key, name, '-', '+', 20)
    const rows = waiting.map(([id, consumer, idle, deliveries]) => [id, consumer, `${(idle / 1000).toFixed(1)} s ago`, `${deliveries}×`])
    return element('details', { class: 'group', open: pending > 0 },
      element('summary', {}, element('b', {}, name), ` ${consumers} ${consumers === 1 ? 'consumer' : 'consumers'}, ${pending} pending, delivered up to ${last}`),
      rows.length ? table(['pending', 'consumer', 'delivered', 'times'], rows) : note('Nothing is pending.'))
  })
}

// Parts

function table(heads, rows) {
  const cell = (name, it) => element(name, {}, it)
  return element('div', { class: 'table', tabindex: 0, role: 'region', 'aria-label': 'Entries' },
    element('table', {}, element('thead', {}, element('tr', {}, ...heads.map((it) => (it ? cell('th', it) : element('td'))))), element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((it) => cell('td', it)))))))
}

function field_(label, value, onChange) {
  const made = element('input', { class: 'mono', 'aria-label': label, spellcheck: 'false', autocomplete: 'off' })
  made.value = value
  made.addEventListener('change', () => onChange(made.value))
  return made
}

function form(names, action, onSubmit) {
  const inputs = names.map((name) => element('input', { class: 'mono', placeholder: name, 'aria-label': `New ${name}`, required: true, autocomplete: 'off', spellcheck: 'false' }))
  const made = element('form', { class: 'actions' }, ...inputs, element('button', { type: 'submit' }, action))
  made.addEventListener('submit', (event) => {
    event.preventDefault()
    onSubmit(inputs.map((it) => it.value))
  })
  return made
}

function button(attributes, onClick, ...children) {
  const made = element('button', { type: 'button', ...attributes }, ...children)
  made.addEventListener('click', onClick)
  return made
}

function remove(what, onClick) {
  return button({ class: 'remove', 'aria-label': `Remove ${what}`, title: 'Remove' }, onClick, '×')
}

function moreOf(isMore, total, shown, more) {
  return isMore ? [element('div', { class: 'actions' }, element('span', { class: 'faint' }, `${shown.toLocaleString('en')} of ${total.toLocaleString('en')} are shown`), button({}, more, 'Show more'))] : []
}

function bar(part) {
  const made = element('progress', { max: 1, 'aria-hidden': 'true' })
  made.value = part
  return made
}

function bits(client, key, bytes) {
  const grid = element('div', { class: 'bits', 'aria-hidden': 'true' })
  for (let i = 0; i < Math.min(SHOWN_BITS, bytes.length * 8); i++) grid.append(element('i', { class: (bytes[i >> 3] >> (7 - (i & 7))) & 1 ? 'one' : false }))
  return [fact('Bits that are set', `${client.call('BITCOUNT', key).toLocaleString('en')} of ${(bytes.length * 8).toLocaleString('en')}`), grid]
}

function fact(name, value) {
  return element('p', { class: 'fact' }, `${name}: `, element('b', {}, typeof value === 'number' ? value.toLocaleString('en') : value))
}

function note(text) {
  return element('p', { class: 'notice' }, text)
}

/** Entries by a scan, until there are enough. */
function scanned(client, command, key, enough) {
  let cursor = '0'
  const found = []
  do {
    const [next, items] = client.call(command, key, cursor, 'COUNT', PAGE)
    found.push(...items)
    cursor = next
  } while (cursor !== '0' && found.length < enough)
  return [cursor, found]
}

function pairs(flat) {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]])
}

// Bytes

function isCounter(bytes) {
  return bytes.length >= 16 && [0x48, 0x59, 0x4c, 0x4c].every((byte, i) => bytes[i] === byte)
}

function isText(bytes) {
  try {
    return !/[\x00-\x08\x0e-\x1f]/.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return false
  }
}

function pretty(bytes) {
  try {
    return JSON.stringify(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), null, 2)
  } catch {
    return undefined
  }
}

/** Sixteen bytes a line, the first 4096. */
export function hexDump(bytes) {
  const lines = []
  for (let at = 0; at < Math.min(bytes.length, 4096); at += 16) {
    const line = bytes.subarray(at, at + 16)
    const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = Array.from(line, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
  return lines.join('\n') + (bytes.length > 4096 ? `\n… ${bytes.length.toLocaleString('en')} bytes in all` : '')
}
