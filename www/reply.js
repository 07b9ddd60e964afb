// RESP3 replies as a person reads them. It takes the bytes a socket would carry, so that a status, a text and a number
// look as different here as they are.

const text = new TextDecoder()

/** Reads the reply at `at`: `{ kind, value, next }`; `value` is text, a list of replies, or null. */
export function read(bytes, at = 0) {
  const end = bytes.indexOf(13, at)
  const line = text.decode(bytes.subarray(at + 1, end))
  const next = end + 2
  const kind = String.fromCharCode(bytes[at])
  switch (kind) {
    case '$': case '=': {
      if (line === '-1') return { kind: '_', value: null, next }
      const stop = next + Number(line)
      return { kind, value: bytes.subarray(next, stop), next: stop + 2 }
    }
    case '*': case '~': case '>': case '%': case '|': {
      if (line === '-1') return { kind: '_', value: null, next }
      const value = []
      let from = next
      for (let left = Number(line) * ('%|'.includes(kind) ? 2 : 1); left > 0; left--) {
        const item = read(bytes, from)
        value.push(item)
        from = item.next
      }
      return { kind, value, next: from }
    }
    case '_': return { kind, value: null, next }
    default: return { kind, value: line, next }
  }
}

/** Every reply in `bytes`. */
export function readAll(bytes) {
  const replies = []
  for (let at = 0; at < bytes.length;) {
    const reply = read(bytes, at)
    replies.push(reply)
    at = reply.next
  }
  return replies
}

const CLASSES = { $: 'string', '=': '', ':': 'number', ',': 'number', '(': 'number', '#': 'number', _: 'nothing', '-': 'error' }

/** The element that shows a reply. */
export function show(reply, indent = '') {
  const element = document.createElement('span')
  if (Array.isArray(reply.value)) return showMany(element, reply, indent)
  element.className = CLASSES[reply.kind] ?? ''
  element.textContent = words(reply)
  return element
}

function showMany(element, { kind, value }, indent) {
  const isMap = kind === '%' || kind === '|'
  if (value.length === 0) {
    element.className = 'nothing'
    element.textContent = { '*': '(empty array)', '~': '(empty set)', '%': '(empty hash)' }[kind] ?? '(empty)'
    return element
  }
  const step = isMap ? 2 : 1
  const width = String(value.length / step).length
  for (let i = 0; i < value.length; i += step) {
    const mark = `${String(i / step + 1).padStart(width)}${kind === '~' ? '~' : isMap ? '#' : ')'} `
    const label = document.createElement('span')
    label.className = 'index'
    label.textContent = (i === 0 ? '' : `\n${indent}`) + mark
    const deeper = indent + ' '.repeat(mark.length)
    element.append(label)
    if (isMap) element.append(show(value[i], deeper), ' => ')
    element.append(show(value[i + step - 1], isMap ? deeper + '    ' : deeper))
  }
  return element
}

function words({ kind, value }) {
  switch (kind) {
    case '$': return quote(value)
    case '=': return text.decode(value).slice(4).trimEnd()
    case ':': return `(integer) ${value}`
    case ',': return `(double) ${value}`
    case '#': return `(${value === 't'})`
    case '-': return `(error) ${value}`
    case '_': return '(nil)'
    default: return value
  }
}

/** A text between quotes, with what cannot be printed escaped. */
function quote(bytes) {
  let decoded
  try { decoded = new TextDecoder('utf-8', { fatal: true }).decode(bytes) } catch { decoded = null }
  const escape = (byte) => `\\x${byte.toString(16).padStart(2, '0')}`
  if (decoded === null) return `"${Array.from(bytes, (byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : escape(byte)).join('')}"`
  const named = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
  return `"${decoded.replace(/["\\\n\r\t]/g, (it) => named[it]).replace(/[\x00-\x1f\x7f]/g, (it) => escape(it.charCodeAt(0)))}"`
}
