/** Replies as JSON, as Upstash writes it: texts as they are or in base64, integers of any size as digits. */
import { ReplyError, decoder } from './reply.js'

/** How texts are written: as they are, or in base64, so that no byte is lost. */
export type Encoding = 'text' | 'base64'

/** `{"result":…}`, or `{"error":…}` for a refusal. */
export function answer(reply: unknown, encoding: Encoding): string {
  if (reply instanceof ReplyError) return `{"error":${JSON.stringify(reply.message)}}`
  return `{"result":${write(reply, encoding)}}`
}

/** A list of answers. */
export function answers(replies: readonly unknown[], encoding: Encoding): string {
  return `[${replies.map((reply) => answer(reply, encoding)).join()}]`
}

/** The words of a command, or of several. What is wrong with the text is thrown. */
export function readWords(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ReplyError('ERR failed to parse the request body: it is not JSON')
  }
}

/** A reply as values of JavaScript: texts as strings, and integers too large for a number as strings of digits. */
export function plain(reply: unknown): unknown {
  if (reply instanceof Uint8Array) return decoder.decode(reply)
  if (Array.isArray(reply)) return reply.map(plain)
  if (typeof reply === 'bigint') return String(reply)
  return reply instanceof ReplyError ? reply.message : reply
}

function write(reply: unknown, encoding: Encoding): string {
  if (reply === null || reply === undefined) return 'null'
  if (typeof reply === 'number' || typeof reply === 'bigint') return String(reply)
  if (Array.isArray(reply)) return `[${reply.map((one) => write(one, encoding)).join()}]`
  if (reply instanceof ReplyError) return write(reply.message, encoding)
  const isOk = reply === 'OK'
  if (encoding === 'text' || isOk) return JSON.stringify(reply instanceof Uint8Array ? decoder.decode(reply) : reply)
  return `"${base64(reply instanceof Uint8Array ? reply : new TextEncoder().encode(String(reply)))}"`
}

/** More arguments than this do not fit in a call. */
const PIECE = 1 << 13

function base64(bytes: Uint8Array): string {
  let characters = ''
  for (let at = 0; at < bytes.length; at += PIECE) characters += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  return btoa(characters)
}
