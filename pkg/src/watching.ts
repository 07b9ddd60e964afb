/** Keyspace events as calls of a function: which they are, how they are turned on, and how a pattern is told from a key. */
import { decoder } from './reply.js'

/** Who is called with a key that has changed, and with what happened to it: `set`, `hset`, `expired` … */
export type WatchCallback = (key: string, event: string) => void

/** What may be said of watching keys. */
export interface WatchOptions {
  /** Ends it. */
  signal?: AbortSignal
}

/** The flags of `notify-keyspace-events` that are needed in addition to these. */
export function flagsWith(flags: string): string | undefined {
  const hasAll = flags.includes('A') || [...'g$lshzxetd'].every((flag) => flags.includes(flag))
  return flags.includes('K') && hasAll ? undefined : `KA${flags.replace(/[KA]/g, '')}`
}

/** The channels of the events of all keys that fit a pattern. */
export function channelsOf(database: string | number, pattern: string): string {
  return `__keyspace@${database}__:${pattern}`
}

/** The key and the event in a message. */
export function eventOf([kind, , channel, event]: unknown[]): [key: string, event: string] | undefined {
  if (text(kind) !== 'pmessage') return undefined
  const name = text(channel)
  return [name.slice(name.indexOf(':') + 1), text(event)]
}

/** A pattern that only this key fits. */
export function patternOf(key: string): string {
  return key.replace(/[\\*?[\]]/g, '\\$&')
}

/** The database in the answer of CLIENT INFO. */
export function databaseOf(info: string): string {
  return /\bdb=(\d+)/.exec(info)?.[1] ?? '0'
}

function text(value: unknown): string {
  return value instanceof Uint8Array ? decoder.decode(value) : String(value)
}
