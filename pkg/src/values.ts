/** What goes into commands, as types; and how a value of the wrong type is refused. */

/** A key, a field, a value: what becomes one word of a command. Text is sent as UTF-8, bytes as they are. */
export type Value = string | number | bigint | Uint8Array

/** A number, in any form. */
export type Numeric = number | bigint | string

/** One, or several in an array. */
export type Names<T> = T | readonly T[]

/** One or more, one after the other or in an array. */
export type Some<T> = [first: T | readonly T[], ...rest: T[]]

/** Pairs such as fields and values: of an object, of a map, or in an array. */
export type Pairs<A, B> = Readonly<Record<string, B>> | ReadonlyMap<A, B> | readonly (readonly [A, B])[]

/** Pairs of a number and a member: `{ member: number }`, a map from member to number, or an array of `[number, member]`. */
export type Members<A, B> = Readonly<Record<string, A>> | ReadonlyMap<B, A> | readonly (readonly [A, B])[]

/** Streams and the id to read each from. */
export type Streams = Pairs<Value, Value>

/** A number as Redis writes it. */
export function digits(value: number | bigint): string {
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  return '' + value
}

/** Whether a value can be a word. Not a number is none. */
export function isValue(value: unknown): value is Value {
  const type = typeof value
  return type === 'string' || (type === 'number' && value === value) || type === 'bigint' || value instanceof Uint8Array
}

/** Says which argument of which method is not what it has to be. */
export function mismatch(method: string, argument: string, wanted: string, value: unknown): TypeError {
  return new TypeError(`${method}: ${argument} must be ${wanted}, not ${describe(value)}`)
}

/** What a text has to be to be sent, in the words of an error. */
export const WHOLE_TEXT = 'text without lone surrogates, which UTF-8 cannot carry: mend it with toWellFormed(), or send bytes'

/** Whether a text can be sent as UTF-8 and come back the same. */
export function isWhole(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** What a single word may be, in the words of an error. */
export const A_VALUE = 'a string, a number, a bigint or a Uint8Array'

function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? value.slice(0, 40) + '…' : value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? 'an array' : `an object (${value.constructor?.name ?? 'without prototype'})`
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    default:
      return String(value)
  }
}
