/**
 * Upstash's REST protocol on a store: `requester` for @upstash/redis in the same process, and `handler`, a function from
 * `Request` to `Response`, for a worker, a Durable Object or any server, which clients reach as they reach Upstash.
 */
import { answer, answers, plain, readWords, type Encoding } from './json.js'
import { replyOrRefusal, ReplyError } from './reply.js'
import { Rest, type Hear, type Rights, type Words } from './rest.js'
import type { Store } from './store.js'

/** What @upstash/redis asks of its requester. */
export interface UpstashRequest {
  path?: string[]
  body?: unknown
  headers?: Record<string, string>
  onMessage?: (data: string) => void
  signal?: AbortSignal | (() => AbortSignal)
}

/** What @upstash/redis is answered. */
export interface UpstashResponse<Result> {
  result?: Result
  error?: string
}

/** What `new Redis()` of @upstash/redis takes in place of a URL and a token. */
export interface Requester {
  request<Result = unknown>(request: UpstashRequest): Promise<UpstashResponse<Result>>
}

/** What `handler` is to know. */
export interface HandlerOptions {
  /** Who has it may do everything. `false` lets everybody in, for handlers that only those reach who may. */
  token: string | false
  /** Who has it may run commands that change nothing, other than SCAN and KEYS. */
  readOnlyToken?: string
  /** The origin whose pages may ask; every one if there is a token, and otherwise none. */
  cors?: string | false
  /** The path that the protocol's paths begin after, such as `/api/redis`. */
  basePath?: string
}

const EVERYTHING: Rights = { isReadOnly: false }

/** Answers @upstash/redis from the store: `new Redis(requester(db))`. */
export function requester(store: Store): Requester {
  const rest = new Rest(store)
  return {
    async request<Result>({ path = [], body = [], onMessage, signal }: UpstashRequest) {
      const [kind, name] = path
      if (kind === 'pipeline' || kind === 'multi-exec') {
        const commands = readCommands(body)
        const replies = kind === 'pipeline' ? rest.pipeline(commands, EVERYTHING) : rest.transaction(commands, EVERYTHING)
        return replies.map(respond) as UpstashResponse<Result>
      }
      if (kind === 'subscribe' || kind === 'psubscribe' || kind === 'monitor') {
        const aborted = typeof signal === 'function' ? signal() : signal
        aborted?.throwIfAborted()
        const stop = listen(rest, kind, name, (line) => onMessage?.(line))
        aborted?.addEventListener('abort', stop)
        return { result: 1 as Result }
      }
      return respond(replyOrRefusal(() => rest.command(readCommand([...path, ...(body as unknown[])]), EVERYTHING))) as UpstashResponse<Result>
    },
  }
}

/** Answers requests for the store as Upstash's servers do. */
export function handler(store: Store, options: HandlerOptions): (request: Request) => Promise<Response> {
  if (options?.token !== false && !options?.token) throw new TypeError('handler: there must be a token, or token: false to let everybody in')
  const rest = new Rest(store)
  let served = 0
  return async (request) => {
    const headers = { 'upstash-sync-token': `${served++}`, ...corsHeaders(request, options) }
    const reply = (status: number, body: BodyInit | null, type = 'application/json') =>
      new Response(request.method === 'HEAD' ? null : body, { status, headers: { ...headers, 'content-type': type } })
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers })
    if (!METHODS.has(request.method)) return reply(405, answer(new ReplyError('ERR method not allowed'), 'text'))
    const url = new URL(request.url)
    const rights = rightsOf(request, url, options)
    if (!rights) return reply(401, answer(new ReplyError('WRONGPASS invalid or missing auth token'), 'text'))
    try {
      const { body, type } = await serve(rest, request, url, rights, options.basePath ?? '')
      return reply(200, body, type)
    } catch (error) {
      if (error instanceof ReplyError) return reply(400, answer(error, 'text'))
      throw error
    }
  }
}

const METHODS = new Set(['HEAD', 'GET', 'POST', 'PUT'])

interface Served {
  body: BodyInit
  type?: string
}

async function serve(rest: Rest, request: Request, url: URL, rights: Rights, basePath: string): Promise<Served> {
  const path = segments(url.pathname, basePath)
  const encoding = encodingOf(request)
  const isRaw = isResp2(request, encoding)
  const [kind] = path
  if (kind === 'subscribe' || kind === 'psubscribe' || kind === 'monitor') {
    if (kind === 'monitor' && rights.isReadOnly) throw new ReplyError("NOPERM this user has no permissions to run the 'monitor' command")
    return { body: events((hear) => listen(rest, kind, path[1] as string | undefined, hear), request.signal), type: 'text/event-stream' }
  }
  const hasBody = request.method === 'POST' || request.method === 'PUT'
  const body = hasBody ? new Uint8Array(await request.arrayBuffer()) : NO_BYTES
  if (path.length === 1 && (kind === 'pipeline' || kind === 'multi-exec')) {
    const commands = readCommands(readWords(text(body)))
    if (kind === 'multi-exec') {
      if (isRaw) throw new ReplyError('ERR multi-exec has no RESP2 format')
      return { body: answers(rest.transaction(commands, rights), encoding) }
    }
    if (isRaw) return octets(commands.map((words) => rest.raw(words, rights)), `*${commands.length}\r\n`)
    return { body: answers(rest.pipeline(commands, rights), encoding) }
  }
  const words = readCommand(path.length === 0 ? readWords(text(body)) : [...path, ...(body.length ? [body] : []), ...parameters(url)])
  if (isRaw) return octets([rest.raw(words, rights)])
  return { body: answer(rest.command(words, rights), encoding) }
}

const NO_BYTES = new Uint8Array(0)

function listen(rest: Rest, kind: 'subscribe' | 'psubscribe' | 'monitor', name: string | undefined, hear: Hear): () => void {
  if (kind === 'monitor') return rest.monitor(hear)
  if (!name) throw new ReplyError(`ERR wrong number of arguments for '${kind}' command`)
  return rest.subscribe(kind, name, hear)
}

/** Server-sent events, until the client has enough. */
function events(start: (hear: Hear) => () => void, signal: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let stop = () => {}
  return new ReadableStream({
    start(controller) {
      // Each line of a message has to say that it is data.
      stop = start((line) => controller.enqueue(encoder.encode(`data: ${line.replace(/\r?\n/g, '\ndata: ')}\n\n`)))
      signal.addEventListener('abort', stop)
    },
    cancel: () => stop(),
  })
}

function octets(replies: readonly Uint8Array[], head = ''): Served {
  return { body: new Blob([head, ...(replies as Uint8Array<ArrayBuffer>[])]), type: 'application/octet-stream' }
}

function respond(reply: unknown): UpstashResponse<unknown> {
  return reply instanceof ReplyError ? { error: reply.message } : { result: plain(reply) }
}

function readCommands(body: unknown): Words[] {
  if (!Array.isArray(body)) throw new ReplyError('ERR the request body must be an array of commands')
  return body.map(readCommand)
}

function readCommand(words: unknown): Words {
  if (!Array.isArray(words) || words.length === 0) throw new ReplyError('ERR empty command')
  const [name, ...args] = words.map(readWord)
  return [text(name!), ...args]
}

function readWord(word: unknown): string | Uint8Array {
  if (typeof word === 'string' || word instanceof Uint8Array) return word
  if (typeof word === 'number' || typeof word === 'boolean' || typeof word === 'bigint') return String(word)
  if (typeof word === 'object' && word !== null) return JSON.stringify(word)
  throw new ReplyError('ERR the words of a command must be strings, numbers or booleans')
}

function text(word: string | Uint8Array): string {
  return typeof word === 'string' ? word : new TextDecoder('utf-8', { ignoreBOM: true }).decode(word)
}

/** The parts of a path, without those of the base. */
function segments(path: string, basePath: string): (string | Uint8Array)[] {
  const base = basePath.replace(/\/$/, '')
  if (base !== '' && path !== base && !path.startsWith(base + '/')) throw new ReplyError(`ERR the path does not begin with ${base}`)
  const rest = path.slice(base.length + 1)
  return rest === '' ? [] : rest.split('/').map(unescape)
}

/** What stands behind the question mark: each name, and its value if it has one. */
function parameters({ search }: URL): (string | Uint8Array)[] {
  const pairs = search.slice(1).split('&').filter((pair) => pair !== '' && !pair.startsWith('_token='))
  return pairs.flatMap((pair) => {
    const at = pair.indexOf('=')
    const parts = at < 0 ? [pair] : [pair.slice(0, at), pair.slice(at + 1)]
    return parts.filter((part) => part !== '').map((part) => unescape(part.replaceAll('+', ' ')))
  })
}

/** The bytes that a part of a URL stands for, which need not be text. */
function unescape(part: string): string | Uint8Array {
  if (!part.includes('%')) return part
  const bytes: number[] = []
  for (const [piece, code] of part.matchAll(/%([0-9a-f]{2})|[^%]+|%/gi)) {
    if (code !== undefined) bytes.push(parseInt(code, 16))
    else bytes.push(...new TextEncoder().encode(piece))
  }
  const whole = Uint8Array.from(bytes)
  try {
    return new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(whole)
  } catch {
    return whole
  }
}

function encodingOf(request: Request): Encoding {
  return request.headers.get('upstash-encoding')?.toLowerCase() === 'base64' ? 'base64' : 'text'
}

function isResp2(request: Request, encoding: Encoding): boolean {
  const format = request.headers.get('upstash-response-format')?.toLowerCase()
  if (format === undefined || format === 'json') return false
  if (format !== 'resp2') throw new ReplyError(`ERR there is no response format ${format}`)
  if (encoding === 'base64') throw new ReplyError('ERR the RESP2 format has no base64')
  return true
}

function rightsOf(request: Request, url: URL, { token, readOnlyToken }: HandlerOptions): Rights | undefined {
  const bearer = /^bearer (.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  const given = bearer ?? url.searchParams.get('_token') ?? ''
  if (readOnlyToken && isSame(given, readOnlyToken)) return { isReadOnly: true }
  return token === false || isSame(given, token) ? EVERYTHING : undefined
}

/** Compares all of it, however early it differs, so that no time tells how much was right. */
function isSame(given: string, wanted: string): boolean {
  let difference = given.length ^ wanted.length
  for (let i = 0; i < wanted.length; i++) difference |= given.charCodeAt(i) ^ wanted.charCodeAt(i)
  return difference === 0
}

function corsHeaders(request: Request, { token, cors = token !== false && '*' }: HandlerOptions): Record<string, string> {
  if (cors === false) return {}
  const asked = request.headers.get('access-control-request-headers')
  return {
    'access-control-allow-origin': cors,
    'access-control-allow-methods': 'HEAD, GET, POST, PUT, OPTIONS',
    'access-control-expose-headers': 'upstash-sync-token',
    'access-control-max-age': '86400',
    ...(asked === null ? {} : { 'access-control-allow-headers': asked }),
  }
}
