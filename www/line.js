// One line as typed into words, quoted as in redis-cli.

const ESCAPES = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

/** The words of a line as byte arrays, or null when its quotes are not balanced. */
export function split(line) {
  const words = []
  const encoder = new TextEncoder()
  let at = 0
  for (;;) {
    while (/\s/.test(line[at] ?? '')) at++
    if (at >= line.length) return words
    const word = []
    const quote = line[at] === '"' || line[at] === "'" ? line[at++] : null
    for (;;) {
      const rest = line.slice(at)
      if (quote ? rest === '' : rest === '' || /\s/.test(rest[0])) break
      if (rest[0] === quote) break
      const hex = quote === '"' && /^\\x([0-9a-fA-F]{2})/.exec(rest)
      if (hex) {
        word.push(Number.parseInt(hex[1], 16))
        at += 4
      } else if (quote && rest[0] === '\\' && rest.length > 1 && (quote === '"' || rest[1] === "'")) {
        word.push(...encoder.encode(quote === '"' ? ESCAPES[rest[1]] ?? rest[1] : rest[1]))
        at += 2
      } else {
        const char = String.fromCodePoint(line.codePointAt(at))
        word.push(...encoder.encode(char))
        at += char.length
      }
    }
    if (quote) {
      if (line[at] !== quote || /\S/.test(line[at + 1] ?? ' ')) return null
      at++
    }
    words.push(Uint8Array.from(word))
  }
}
