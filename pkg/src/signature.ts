/**
 * From the arguments of a method to the words of a command, by the method's signature. What the parts of a signature
 * mean stands where they are written, in tests/generate/typescript.rs.
 */
import { A_VALUE, isValue, mismatch, type Value } from './values.js'

/** One argument. */
interface Part {
  sigil: string
  name: string
  options: Map<string, Form>
}

/** What follows an option's name: nothing, a value, or a value again and again. */
type Form = '' | '=' | '*'

/** How one method's arguments become words. */
export class Signature {
  /** The name of the method. */
  readonly method: string
  /** The names of the arguments, if each is a single word; those before an object of options, if there is one. */
  readonly names: string[]
  /** Whether nothing but single words, and then perhaps options, is expected. */
  readonly isPlain: boolean
  /** The options, if there are any. */
  readonly options: Map<string, Form> | undefined
  /** Whether the method may have to wait for others. */
  readonly waits: boolean
  readonly #parts: Part[]
  readonly #required: number
  /** Whether the last argument may be given as several. */
  readonly #isVariadic: boolean

  constructor(line: string) {
    const [method, ...parts] = line.split(' ')
    this.method = method!
    this.waits = parts.at(-1) === '&'
    if (this.waits) parts.pop()
    this.#parts = parts.map(readPart)
    const options = this.#parts.filter(({ sigil }) => sigil === '{')
    const others = this.#parts.filter(({ sigil }) => sigil !== '{' && sigil !== '=')
    this.names = others.map(({ name }) => name)
    this.isPlain = this.#parts.every(({ sigil }, i) => sigil === '' || (sigil === '{' && i === parts.length - 1))
    this.options = options.length ? new Map(options.flatMap((part) => [...part.options])) : undefined
    this.#isVariadic = !options.length && others.at(-1)?.sigil === '*'
    this.#required = others.filter(({ sigil }) => sigil !== '?').length
  }

  /** The words for these arguments. All of them are looked at before any is sent. */
  words(args: readonly unknown[]): Value[] {
    const words: Value[] = []
    let next = 0
    let end = args.length
    while (end > this.#required && args[end - 1] === undefined && !this.#isVariadic) end--
    const options = this.options && end > this.#required ? this.#checked(args[--end]) : undefined
    for (const { sigil, name, options: forms } of this.#parts) {
      if (sigil === '=') words.push(name)
      else if (sigil === '{') this.#addOptions(words, options, forms)
      else if (sigil === '*') {
        const takesAll = this.#isVariadic && !Array.isArray(args[next])
        this.#addNames(words, name, takesAll ? args.slice(next, Math.max(end, next + 1)) : args[next])
        next = takesAll ? end : next + 1
      } else if (sigil !== '?' || next < end) this.#add(words, sigil, name, args[next++])
    }
    if (next < end) throw new TypeError(`${this.method}: ${end - next} ${end - next > 1 ? 'arguments' : 'argument'} too many`)
    return words
  }

  /** A value that is one word. */
  word(name: string, value: unknown): Value {
    if (isValue(value)) return value
    throw mismatch(this.method, name, A_VALUE, value)
  }

  #add(words: Value[], sigil: string, name: string, value: unknown) {
    switch (sigil) {
      case '':
      case '?':
        words.push(this.word(name, value))
        break
      case '#':
        const at = words.push(0)
        this.#addNames(words, name, value)
        words[at - 1] = words.length - at
        break
      case '@':
        const start = words.push(0)
        this.#add(words, '2', name, value)
        words[start - 1] = (words.length - start) / 2
        break
      case '%':
        const streams = this.#tuples(name, value, 2, false)
        words.push('STREAMS', ...streams.map(([key]) => key!), ...streams.map(([, id]) => id!))
        break
      case '2':
        // Nearly always an object: no pair is made of what is none.
        if (isPlain(value)) {
          for (const key of Object.keys(value)) words.push(key, this.word(name, value[key]))
          break
        }
      // falls through
      default:
        for (const tuple of this.#tuples(name, value, sigil === '~' ? 2 : +sigil, sigil === '~')) words.push(...tuple)
    }
  }

  #addNames(words: Value[], name: string, value: unknown) {
    if (!Array.isArray(value)) words.push(this.word(name, value))
    else for (const one of value) words.push(this.word(name, one))
  }

  #tuples(name: string, value: unknown, size: number, isNumberFirst: boolean): Value[][] {
    const swap = ([key, other]: unknown[]) => (isNumberFirst ? [other, key] : [key, other])
    let tuples: unknown[]
    if (Array.isArray(value)) tuples = value
    else if (size === 2 && value instanceof Map) tuples = Array.from(value, swap)
    else if (size === 2 && isPlain(value)) tuples = Object.entries(value).map(swap)
    else throw mismatch(this.method, name, size === 2 ? 'an object, a Map or an array of pairs' : `an array of arrays of ${size}`, value)
    return tuples.map((tuple) => {
      if (Array.isArray(tuple) && tuple.length === size) return tuple.map((word) => this.word(name, word))
      throw mismatch(this.method, name, `made of arrays of ${size}`, tuple)
    })
  }

  #checked(options: unknown): Record<string, unknown> {
    if (!isPlain(options)) throw mismatch(this.method, 'options', 'an object', options)
    for (const name in options) if (!this.options!.has(name)) throw new TypeError(`${this.method}: there is no option ${name}`)
    return options
  }

  #addOptions(words: Value[], options: Record<string, unknown> = {}, forms: Map<string, Form>) {
    for (const name in options) {
      const value = options[name]
      const form = forms.get(name)
      if (form === undefined || value === undefined || value === false) continue
      if (form === '' && value !== true) throw mismatch(this.method, name, 'true or false', value)
      if (form === '*') for (const one of Array.isArray(value) ? value : [value]) words.push(name, this.word(name, one))
      else words.push(name)
      if (form === '=') this.#addNames(words, name, value)
    }
  }
}

function readPart(text: string): Part {
  const sigil = /^[=?*~#@%{0-9]/.exec(text)?.[0] ?? ''
  const name = text.slice(sigil.length)
  const options = sigil === '{' ? name.split(',').map((it) => [it.replace(/[=*]$/, ''), /[=*]$/.exec(it)?.[0] ?? ''] as [string, Form]) : []
  return { sigil, name, options: new Map(options) }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  return !Array.isArray(value) && !ArrayBuffer.isView(value) && !(value instanceof Map)
}
