/**
 * The near end of a port behind which a store is served (`serve.ts`): streams of requests and their replies. The port can be
 * another one later, when another worker has the store; what was asked and not answered is then asked again if it only reads,
 * and refused if it may have changed something.
 */
import { Push, Reader, ReplyError } from './reply.js'
import type { Answer, Piece, Pipe, Question } from './serve.js'
import { WHOLE_TEXT, digits, isWhole, mismatch, type Value } from './values.js'

/** The store went to another worker before this was answered: it may have happened, or not. */
export class LeaderChangedError extends Error {
  constructor() {
    super('keyside: the store went to another tab before this was answered, so it may have happened or not; look, and ask again')
  }

  override get name() {
    return 'LeaderChangedError'
  }
}

interface Request {
  words: readonly Value[]
  asBytes: boolean
  /** Whether it can be asked again. */
  isRead: boolean
  resolve(reply: unknown): void
  reject(error: Error): void
}

const encoder = new TextEncoder()

export class Link {
  readonly streams = new Map<number, Stream>()
  /** Commands that only read, by name. */
  readonly reads = new Set(['PING', 'ECHO'])
  #pipe: Pipe | undefined
  #next = 0
  readonly #questions = new Map<number, { ask: Question['ask']; resolve(value: unknown): void; reject(error: Error): void }>()
  #end: Error | undefined

  /** Sends through this port from now on. The one before is gone, if there was one. */
  attach(pipe: Pipe | undefined) {
    this.#pipe?.removeEventListener('message', this.#hear)
    const isChanged = this.#pipe !== undefined
    this.#pipe = pipe
    if (isChanged) for (const stream of this.streams.values()) stream.lost()
    if (!pipe) return
    pipe.addEventListener('message', this.#hear)
    pipe.start?.()
    for (const stream of this.streams.values()) stream.begin()
    for (const [id, { ask }] of this.#questions) pipe.postMessage({ id, ask } satisfies Question)
  }

  /** Nothing works any more, for this reason. */
  end(reason: Error) {
    this.#end ??= reason
    this.#pipe?.removeEventListener('message', this.#hear)
    for (const stream of [...this.streams.values()]) stream.over(reason)
    for (const { reject } of this.#questions.values()) reject(reason)
    this.#questions.clear()
  }

  check() {
    if (this.#end) throw this.#end
  }

  /** A stream of its own. */
  open(heard: (values: unknown[]) => void = () => {}): Stream {
    this.check()
    const stream = new Stream(this, this.#next++, heard)
    this.streams.set(stream.number, stream)
    // Whoever opens it may have to say what it begins with.
    queueMicrotask(() => {
      if (this.#pipe) stream.begin()
    })
    return stream
  }

  send(stream: number, bytes: Uint8Array | null) {
    this.#pipe?.postMessage([stream, bytes] satisfies Piece, bytes ? [bytes.buffer as ArrayBuffer] : [])
  }

  /** Asks something about the store itself. */
  ask(ask: Question['ask']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.check()
      const id = this.#next++
      this.#questions.set(id, { ask, resolve, reject })
      this.#pipe?.postMessage({ id, ask } satisfies Question)
    })
  }

  readonly #hear = ({ data }: MessageEvent) => {
    if (Array.isArray(data)) {
      const [number, bytes] = data as Piece
      const stream = this.streams.get(number)
      if (bytes) stream?.received(bytes)
      else stream?.over(new Error('keyside: the connection is closed'))
      return
    }
    const answer = data as Answer | undefined
    const question = answer && this.#questions.get(answer.id)
    if (!question) return
    this.#questions.delete(answer.id)
    if ('error' in answer) question.reject(Object.assign(new Error(answer.error), { name: answer.name }))
    else question.resolve(answer.value)
  }
}

/** A connection's requests and replies, in order. */
export class Stream {
  readonly number: number
  readonly #link: Link
  readonly #heard: (values: unknown[]) => void
  /** Asked and not answered. */
  #asked: Request[] = []
  /** Not asked yet. */
  #waiting: Request[] = []
  /** What brings a connection to where it was: its database, its subscriptions. */
  readonly #greeting = new Map<string, readonly Value[]>([['HELLO', ['HELLO', 3]]])
  #isBegun = false
  #isOver: Error | undefined
  /** Whether a transaction has begun, or keys are watched; and whether that was lost with a leader. */
  #state: '' | 'WATCH' | 'MULTI' = ''
  #isTorn = false
  ended: (error: Error) => void = () => {}
  /** Whether messages come as bytes. */
  asBytes = false

  constructor(link: Link, number: number, heard: (values: unknown[]) => void) {
    this.#link = link
    this.number = number
    this.#heard = heard
  }

  /** Asks; the promise is that of the reply. */
  request(words: readonly Value[], asBytes: boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#link.check()
      if (this.#isOver) throw this.#isOver
      const name = String(words[0]).toUpperCase()
      const isTorn = this.#isTorn
      this.#follow(name, words)
      if (isTorn) throw new LeaderChangedError()
      words.forEach((word, i) => {
        if (typeof word === 'string' && !isWhole(word)) throw mismatch(name.toLowerCase(), `argument ${i}`, WHOLE_TEXT, word)
      })
      const isRead = (this.#link.reads.has(name) || this.#link.reads.has(`${name}|${String(words[1]).toUpperCase()}`)) && this.#state === ''
      if (this.#waiting.push({ words, asBytes, isRead, resolve, reject }) === 1) queueMicrotask(() => this.#flush())
    })
  }

  /** How this connection chose its database. */
  get database(): readonly Value[] | undefined {
    return this.#greeting.get('SELECT')
  }

  /** Asks whenever it begins, at first and with another worker. */
  greet(kind: string, words: readonly Value[]) {
    this.#greeting.set(kind, words)
  }

  /** Has the other side know of it. */
  begin() {
    if (this.#isBegun || this.#isOver) return
    this.#isBegun = true
    const greetings = [...this.#greeting.values()]
    // Who subscribes is answered by messages.
    const answered = greetings.filter(([name]) => !String(name).endsWith('SUBSCRIBE'))
    this.#asked.push(...answered.map((words): Request => ({ words, asBytes: false, isRead: false, resolve() {}, reject() {} })))
    this.#link.send(this.number, encode(greetings))
    this.#flush()
  }

  /** The other side is gone. */
  lost() {
    this.#isBegun = false
    if (this.#state !== '') this.#isTorn = true
    const asked = this.#asked
    this.#asked = []
    for (const { isRead, reject } of asked) if (!isRead) reject(new LeaderChangedError())
    this.#waiting.unshift(...asked.filter(({ isRead }) => isRead))
  }

  received(bytes: Uint8Array) {
    let reader: Reader | undefined
    let [asBytes, start] = [false, 0]
    while (!reader?.isAtEnd) {
      const wanted = this.#asked[0]?.asBytes ?? this.asBytes
      if (!reader || wanted !== asBytes) {
        start += reader?.position ?? 0
        asBytes = wanted
        reader = new Reader(start === 0 ? bytes : bytes.subarray(start), asBytes)
      }
      const reply = reader.next()
      if (reply instanceof Push) this.#heard(reply.values)
      else this.#answer(reply)
    }
  }

  /** Ends it here and there. */
  close() {
    this.#link.send(this.number, null)
    this.over(new Error('keyside: the connection is closed'))
  }

  /** It has ended. */
  over(error: Error) {
    if (this.#isOver) return
    this.#isOver = error
    this.#link.streams.delete(this.number)
    for (const { reject } of [...this.#asked.splice(0), ...this.#waiting.splice(0)]) reject(error)
    this.ended(error)
  }

  #answer(reply: unknown) {
    const request = this.#asked.shift()
    if (!request) return
    if (reply instanceof ReplyError) return request.reject(reply)
    if (String(request.words[0]).toUpperCase() === 'SELECT') this.greet('SELECT', request.words)
    request.resolve(reply)
  }

  #follow(name: string, words: readonly Value[]) {
    if (name === 'MULTI') this.#state = 'MULTI'
    else if (name === 'WATCH' && this.#state === '') this.#state = 'WATCH'
    else if (['EXEC', 'DISCARD', 'RESET'].includes(name) || (name === 'UNWATCH' && this.#state === 'WATCH')) {
      this.#state = ''
      this.#isTorn = false
    }
    if (name === 'RESET' || (name === 'HELLO' && words.length > 1)) throw new TypeError(`${name.toLowerCase()}: a connection of this kind stays as it is; open another one with connect()`)
  }

  #flush() {
    if (!this.#isBegun || this.#waiting.length === 0) return
    const requests = this.#waiting.splice(0)
    this.#asked.push(...requests)
    this.#link.send(this.number, encode(requests.map(({ words }) => words)))
  }
}

/** Requests as a socket carries them. */
export function encode(requests: readonly (readonly Value[])[]): Uint8Array {
  let bytes = new Uint8Array(256)
  let at = 0
  const room = (more: number) => {
    if (at + more <= bytes.length) return
    const larger = new Uint8Array(Math.max(2 * bytes.length, at + more))
    larger.set(bytes)
    bytes = larger
  }
  const line = (text: string) => {
    room(text.length)
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
  }
  for (const words of requests) {
    line(`*${words.length}\r\n`)
    for (const word of words) {
      const data = word instanceof Uint8Array ? word : encoder.encode(typeof word === 'string' ? word : digits(word))
      line(`$${data.length}\r\n`)
      room(data.length)
      bytes.set(data, at)
      at += data.length
      line('\r\n')
    }
  }
  return bytes.slice(0, at)
}
