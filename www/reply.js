// RESP3 replies as a person reads them. It takes the bytes a socket would carry, so that a status, a text and a number
// look as different here as they are.

import { element } from './element.js'

/** Of longer replies, this much is shown. */
const SHOWN_ITEMS = 1000
const SHOWN_BYTES = 20_000

const text = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

/**
 * Reads the reply at `at`: `{ kind, value, at, next }`. The kind is RESP's first character; the value is text, bytes, a list of
 * replies, or null; the last two say which bytes it was read from.
 */
export function read(bytes, at = 0) {
  const end = bytes.indexOf(13, at)
  const line = text.decode(bytes.subarray(at + 1, end))
  const next = end + 2
  const kind = String.fromCharCode(bytes[at])
  if ('$=*~>%|'.includes(kind)) {
    if (line === '-1') return { kind: '_', value: null, at, next }
    if (kind === '$' || kind === '=') {
      const stop = next + Number(line)
      return { kind, value: bytes.subarray(next, stop), at, next: stop + 2 }
    }
    return { ...readMany(bytes, kind, Number(line) * ('%|'.includes(kind) ? 2 : 1), next), at }
  }
  return { kind, value: kind === '_' ? null : line, at, next }
}

function readMany(bytes, kind, count, next) {
  const value = []
  while (value.length < count) {
    const item = read(bytes, next)
    value.push(item)
    next = item.next
  }
  return { kind, value, next }
}

/** Every reply in `bytes`. */
export function readAll(bytes) {
  const replies = []
  for (let at = 0; at < bytes.length; at = replies.at(-1).next) replies.push(read(bytes, at))
  return replies
}

const CLASSES = { $: 'string', ':': 'number', ',': 'number', '(': 'number', '#': 'number', _: 'nothing', '-': 'error', '+': 'status' }

/** The element that shows a reply. */
export function show(reply) {
  const shown = element('span')
  let room = SHOWN_ITEMS
  for (const { className, words } of pieces(reply, '')) {
    if (className === 'index' && room-- === 0) {
      shown.append(element('span', { class: 'nothing' }, `\n… and more; ${SHOWN_ITEMS} are shown`))
      break
    }
    shown.append(className ? element('span', { class: className }, words) : words)
  }
  return shown
}

/** A reply as text, piece by piece, each with the class of what it is. */
export function* pieces(reply, indent) {
  const { kind, value } = reply
  if (!Array.isArray(value)) {
    yield { className: CLASSES[kind] ?? '', words: words(reply) }
    return
  }
  if (value.length === 0) yield { className: 'nothing', words: { '~': '(empty set)', '%': '(empty hash)' }[kind] ?? '(empty array)' }
  const isMap = kind === '%' || kind === '|'
  const step = isMap ? 2 : 1
  const width = String(value.length / step).length
  for (let i = 0; i < value.length; i += step) {
    const mark = `${String(i / step + 1).padStart(width)}${kind === '~' ? '~' : isMap ? '#' : ')'} `
    const deeper = indent + ' '.repeat(mark.length)
    yield { className: 'index', words: (i === 0 ? '' : `\n${indent}`) + mark }
    yield* pieces(value[i], deeper)
    if (!isMap) continue
    const isNested = Array.isArray(value[i + 1].value) && value[i + 1].value.length > 0
    yield { className: 'index', words: isNested ? ` =>\n${deeper}` : ' => ' }
    yield* pieces(value[i + 1], deeper)
  }
}

function words({ kind, value }) {
  switch (kind) {
    case '$': return quote(value)
    case '=': return text.decode(value.subarray(4)).trimEnd()
    case ':': return `(integer) ${value}`
    case ',': return `(double) ${value}`
    case '(': return `(big number) ${value}`
    case '#': return value === 't' ? '(true)' : '(false)'
    case '-': return `(error) ${value}`
    case '_': return '(nil)'
    default: return value
  }
}

const NAMED = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\x07': '\\a' }

/** A text between quotes that can be typed again; what is no UTF-8 is shown byte by byte. */
function quote(bytes) {
  if (bytes.length > SHOWN_BYTES) return `${quote(whole(bytes))} … (${bytes.length.toLocaleString('en')} bytes)`
  let decoded
  try {
    decoded = strict.decode(bytes).replace(/[\p{Cc}"\\]/gu, escape)
  } catch {
    decoded = Array.from(bytes, (byte) => (byte < 0x7f ? String.fromCharCode(byte).replace(/[\p{Cc}"\\]/u, escape) : hex(byte))).join('')
  }
  return `"${decoded}"`
}

/** The first bytes, cut between characters. */
function whole(bytes) {
  let end = SHOWN_BYTES
  while (end > SHOWN_BYTES - 3 && (bytes[end] & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

function escape(char) {
  return NAMED[char] ?? Array.from(new TextEncoder().encode(char), hex).join('')
}

function hex(byte) {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}
