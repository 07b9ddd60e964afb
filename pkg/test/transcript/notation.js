// The notation of tests/commands/*.md, which its README describes: reads a file into sections of steps, and tells whether a
// value of JavaScript is what is written. Texts are byte strings here: one character for each byte.

/** Reads a file: `[{ heading, blocks: [{ attributes, steps: [{ line, client, words | raw | wait | receives, expected }] }] }]`. */
export function parse(text) {
  const lines = Buffer.from(text).toString('latin1').split('\n')
  const sections = []
  let ofFile = {}
  let ofSection = {}
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]
    const comment = /^<!-- redis: (.*) -->$/.exec(line)
    if (line.startsWith('## ')) {
      sections.push({ heading: line.slice(3), blocks: [] })
      ofSection = ofFile
    } else if (comment) {
      ofSection = { ...ofSection, ...readAttributes(comment[1]) }
      if (sections.length === 0) ofFile = ofSection
    } else if (line.startsWith('```redis')) {
      const end = lines.indexOf('```', i)
      const attributes = { ...ofSection, ...readAttributes(line.slice(8)) }
      sections.at(-1).blocks.push({ attributes, steps: readSteps(lines.slice(i + 1, end), i + 2) })
      i = end
    }
  }
  return sections
}

function readAttributes(text) {
  return Object.fromEntries(text.split(' ').filter(Boolean).map((word) => [word.split('=')[0], word.split('=')[1] ?? true]))
}

function readSteps(lines, first) {
  const steps = []
  for (let i = 0; i < lines.length; ) {
    const line = lines[i].trimEnd()
    const [, letter = ' ', sign, rest] = /^([A-Z])?(> |>raw |< |<$)(.*)$/.exec(line) ?? []
    const wait = /^\+(\d+)ms$/.exec(line)
    const step = { line: first + i, client: letter, expected: [] }
    if (line === '' || line.startsWith('#')) {
      i++
    } else if (wait) {
      steps.push({ ...step, wait: +wait[1] })
      i++
    } else if (sign === '> ' || sign === '>raw ') {
      steps.push({ ...step, words: readWords(rest), raw: sign !== '> ' })
      i++
    } else if (sign) {
      steps.push({ ...step, receives: true })
      i += rest ? readExpected(steps.at(-1), [rest, ...lines.slice(i + 1)]) : 1
    } else {
      i += readExpected(steps.at(-1), lines.slice(i))
    }
  }
  return steps
}

/** Adds one expected reply to a step; returns how many lines it takes. */
function readExpected(step, lines) {
  if (lines[0].trim() === 'closed') {
    step.expected.push({ kind: 'closed' })
    return 1
  }
  if (lines[0].trimStart().startsWith('! ')) {
    step.expected.push({ kind: 'error', text: lines[0].trim().slice(2) })
    return 1
  }
  const scanner = new Scanner(lines.join('\n'))
  step.expected.push(scanner.pattern())
  return scanner.text.slice(0, scanner.at).split('\n').length
}

function readWords(line) {
  const words = []
  const scanner = new Scanner(line)
  for (;;) {
    scanner.take(/ */y)
    if (scanner.at === line.length) return words
    if (/["']/.test(line[scanner.at])) {
      words.push(scanner.repeated())
      continue
    }
    const word = scanner.take(/[^ ]*/y)
    const range = /^(.*)\{(\d+)\.\.(\d+)\}(.*)$/.exec(word)
    if (!range) words.push(word)
    else for (let n = +range[2]; n <= +range[3]; n++) words.push(`${range[1]}${n}${range[4]}`)
  }
}

const ESCAPES = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' }
const MARKS = { '[': 'array', '~[': 'set', 'push[': 'push' }

class Scanner {
  at = 0

  constructor(text) {
    this.text = text
  }

  /** Takes what a sticky pattern finds here; the empty text, if it finds nothing. */
  take(pattern) {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0] ?? ''
    this.at += found.length
    return found
  }

  pattern() {
    this.take(/\s*/y)
    const mark = this.take(/~?\[|push\[|\{|attribute\{/y)
    if (mark in MARKS) return { kind: MARKS[mark], ...this.items(']', () => this.pattern()) }
    if (mark) {
      const pair = () => {
        const key = this.pattern()
        this.take(/\s*:/y)
        return [key, this.pattern()]
      }
      return { kind: mark === '{' ? 'map' : 'attribute', ...this.items('}', pair) }
    }
    switch (this.text[this.at]) {
      case '"':
        return { kind: 'bulk', text: this.repeated() }
      case '!':
        this.at++
        return { kind: 'error', text: this.repeated() }
      case '<':
        return this.placeholder()
    }
    if (this.take(/nil(\[\])?/y)) return { kind: 'null' }
    if (this.take(/\+(?=")/y)) return { kind: 'simple', text: this.repeated() }
    const word = this.take(/[\w.+-]+/y)
    if (this.take(/:(?=")/y)) return { kind: 'simple', text: this.repeated() }
    if (word === 'true' || word === 'false') return { kind: 'value', value: word === 'true' }
    if (/^(-?inf|nan)$/.test(word)) return { kind: 'value', value: { inf: Infinity, '-inf': -Infinity, nan: NaN }[word] }
    if (/^[a-z]/i.test(word)) return { kind: 'simple', text: word }
    if (/n$/.test(word)) return { kind: 'value', value: BigInt(word.slice(0, -1)) }
    if (!/^[+-]?\d/.test(word)) throw new Error(`not a reply: ${this.text.slice(this.at - word.length).split('\n')[0]}`)
    return { kind: 'value', value: Number.isInteger(+word) && !Number.isSafeInteger(+word) && !/[.e]/.test(word) ? BigInt(word) : +word }
  }

  items(closing, item) {
    const items = []
    for (;;) {
      this.take(/\s*/y)
      const isOpen = this.take(/\.\.\.\s*/y) !== ''
      if (this.text[this.at] === closing) {
        this.at++
        return { items, isOpen }
      }
      items.push(item())
      this.take(/\s*,?/y)
    }
  }

  placeholder() {
    const kind = this.take(/<[a-z]+( of)? ?/y).slice(1).trim()
    const rest = { any: () => ({}), bulk: () => ({}), integer: () => this.range(), double: () => this.range(), text: () => this.glob(), error: () => this.glob(), unordered: () => ({ of: this.pattern() }), 'one of': () => ({ of: this.pattern().items }) }[kind]()
    if (this.text[this.at++] !== '>') throw new Error(`<${kind} does not end`)
    return { kind: `<${kind}>`, ...rest }
  }

  range() {
    const [low, high] = this.take(/[^>]*/y).split('..')
    return { low: low ? +low : -Infinity, high: high ? +high : Infinity }
  }

  glob() {
    const glob = this.take(/(\\.|[^>\\])*/ys) || '*'
    const source = glob.replace(/\\x(..)|\\(.)|[*?]|[^]/g, (part, hex, escaped) => {
      if (part === '*') return '[^]*'
      if (part === '?') return '[^]'
      const byte = hex ? String.fromCharCode(parseInt(hex, 16)) : escaped ? (ESCAPES[escaped] ?? escaped) : part
      return byte.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
    })
    return { glob: new RegExp(`^${source}$`) }
  }

  repeated() {
    const text = this.quoted()
    const times = this.take(/\*\d+/y)
    return times ? text.repeat(+times.slice(1)) : text
  }

  quoted() {
    const single = this.take(/'(\\'|[^'])*'/y)
    if (single) return single.slice(1, -1).replaceAll("\\'", "'")
    const double = this.take(/"(\\.|[^"\\])*"/ys)
    if (!double) throw new Error(`expected a quoted text: ${this.text.slice(this.at).split('\n')[0]}`)
    return double.slice(1, -1).replace(/\\x(..)|\\(.)/gs, (_, hex, escaped) => (hex ? String.fromCharCode(parseInt(hex, 16)) : (ESCAPES[escaped] ?? escaped)))
  }
}

/**
 * Whether a value that the package returned is the one that is written. Bulk strings are expected as bytes; simple ones and
 * verbatim ones are strings both; an integer is not told from a double with the same value, nor a set from an array; and an
 * object has one value for a key that a reply has twice.
 */
export function matches(pattern, value) {
  const text = value instanceof Uint8Array || typeof value === 'string' ? bytesOf(value) : undefined
  const isNumber = typeof value === 'number' || typeof value === 'bigint'
  switch (pattern.kind) {
    case 'null':
      return value === null
    case 'value':
      return Object.is(pattern.value, value) || (pattern.value === 0 && value === 0)
    case 'bulk':
      return value instanceof Uint8Array && text === pattern.text
    case 'simple':
      return typeof value === 'string' && value === textOf(pattern.text)
    case 'error':
      return value instanceof Error && value.message === textOf(pattern.text)
    case 'closed':
      return value === CLOSED
    case 'array':
    case 'push':
      return Array.isArray(value) && sequence(pattern, value, true)
    case 'set':
      return Array.isArray(value) && sequence(pattern, value, false)
    case 'map':
      return isObject(value) && sequence({ ...pattern, items: lastOfEachKey(pattern.items) }, Object.entries(value), false)
    case 'pair':
      return isKey(pattern.items[0], value[0]) && matches(pattern.items[1], value[1])
    case '<any>':
      return true
    case '<bulk>':
      return value instanceof Uint8Array
    case '<integer>':
    case '<double>':
      return isNumber && value >= pattern.low && value <= pattern.high
    case '<text>':
      return text !== undefined && pattern.glob.test(text)
    case '<error>':
      return value instanceof Error && pattern.glob.test(bytesOf(value.message))
    case '<one of>':
      return pattern.of.some((one) => matches(one, value))
    case '<unordered>':
      return pattern.of.kind === 'map' ? matches(pattern.of, value) : Array.isArray(value) && sequence(pattern.of, value, false)
    default:
      throw new Error(`${pattern.kind} is not known here`)
  }
}

/** Stands in the place of a reply when a connection ends. */
export const CLOSED = Symbol('closed')

function sequence({ items, isOpen }, values, isOrdered) {
  if (items.length > values.length || (!isOpen && items.length < values.length)) return false
  if (isOrdered) return items.every((item, i) => matches(item, values[i]))
  const assign = (i, left) => i === items.length || left.some((value, j) => matches(items[i], value) && assign(i + 1, left.toSpliced ? left.toSpliced(j, 1) : [...left.slice(0, j), ...left.slice(j + 1)]))
  return assign(0, values)
}

/** Keys of objects are text, however they were sent. */
function isKey(pattern, key) {
  return pattern.text === undefined ? matches(pattern, Buffer.from(key)) : key === textOf(pattern.text)
}

function lastOfEachKey(pairs) {
  return Array.from(new Map(pairs.map((items) => [items[0].text ?? items, { kind: 'pair', items }])).values())
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Error)
}

/** What bytes are as text, which is how errors, simple strings and the keys of maps come back. */
function textOf(bytes) {
  return Buffer.from(bytes, 'latin1').toString()
}

function bytesOf(text) {
  return Buffer.from(text).toString('latin1')
}
