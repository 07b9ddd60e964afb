// One line as typed into words, quoted as in redis-cli: "…" knows escapes, '…' only \'.

const ESCAPES = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }
const SPACE = /[ \t-\r\0]*/y
const PLAIN = /[^ \t-\r\0"']+/y
const DOUBLE = /"([^"\\]*(?:\\[^][^"\\]*)*)"(?![^ \t-\r\0])/y
const SINGLE = /'([^'\\]*(?:\\(?:'|(?!'))[^'\\]*)*)'(?![^ \t-\r\0])/y

const encoder = new TextEncoder()

/** The words of a line as byte arrays, or null when its quotes are not balanced. */
export function split(line) {
  const words = []
  for (let at = end(SPACE, line, 0); at < line.length; at = end(SPACE, line, at)) {
    const parts = []
    let match
    do {
      if ((match = take(PLAIN, line, at))) parts.push(encoder.encode(match[0]))
      else if ((match = take(DOUBLE, line, at))) parts.push(...unescaped(match[1]))
      else if ((match = take(SINGLE, line, at))) parts.push(encoder.encode(match[1].replaceAll("\\'", "'")))
      else return null
      at += match[0].length
    } while (at < line.length && end(SPACE, line, at) === at)
    words.push(joined(parts))
  }
  return words
}

function take(pattern, line, at) {
  pattern.lastIndex = at
  return pattern.exec(line)
}

function end(pattern, line, at) {
  return at + take(pattern, line, at)[0].length
}

function unescaped(text) {
  return Array.from(text.matchAll(/([^\\]+)|\\x([0-9a-fA-F]{2})|\\([^])/gu), ([, plain, hex, char]) => {
    if (hex) return Uint8Array.of(Number.parseInt(hex, 16))
    return encoder.encode(plain ?? ESCAPES[char] ?? char)
  })
}

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
