/**
 * Commands that are collected first and run together: as one transaction, or simply one after the other. Their arguments are
 * looked at as they are collected; nothing reaches the store before `exec()`.
 */
import type { Commands } from './commands.js'
import { BY_NAME, type Caller, type Instance } from './instance.js'
import { replyOrRefusal, ReplyError } from './reply.js'
import { Signature } from './signature.js'
import type { Value } from './values.js'

/** What is about the connection or its transaction, and can be no part of one. */
type Apart = 'exec' | 'discard' | 'watch' | 'unwatch' | 'monitor' | 'quit' | 'reset' | `${'' | 'p' | 's'}unsubscribe`

/** Commands collected so far, of which `Results` are the types of the replies; `exec()` may answer `Nothing` instead. */
export type Batch<Bytes, Results extends unknown[] = [], Nothing = never> = {
  [Name in Exclude<keyof Commands<Bytes>, Apart>]: Commands<Bytes>[Name] extends (...args: infer Args) => infer Reply
    ? (...args: Args) => Batch<Bytes, [...Results, Awaited<Reply>], Nothing>
    : never
} & {
  /** Adds any command: its name and its arguments, word by word. */
  call(...words: [name: string, ...args: Value[]]): Batch<Bytes, [...Results, unknown], Nothing>
  /**
   * Runs what was collected; returns the replies in the same order, or null when a key changed that the connection watches.
   * When commands are refused, the others have run nevertheless, and a `BatchError` is thrown that has all replies.
   */
  exec(): Results | Nothing
}

/** Some commands were refused. The message is that of the first. */
export class BatchError extends ReplyError {
  /** The replies to all commands, a `ReplyError` in the place of each that was refused. */
  readonly replies: readonly unknown[]

  /** @internal */
  constructor(first: ReplyError, replies: readonly unknown[]) {
    super(first.message)
    this.replies = replies
  }

  override get name() {
    return 'BatchError'
  }
}

/** A connection, whose instance changes when it ends. */
type Connected = Caller & { readonly instance: Instance }

interface Request {
  command: number
  signature: Signature
  words: readonly Value[]
}

const CALL = new Signature('call')

/** The batch itself; it has a method for every command once {@link collect} was called. */
export class Collector {
  #requests: Request[] = []
  readonly #caller: Connected
  readonly #isTransaction: boolean

  constructor(caller: Connected, isTransaction: boolean) {
    caller.instance.check()
    this.#caller = caller
    this.#isTransaction = isTransaction
  }

  add(command: number, signature: Signature, args: readonly unknown[]): this {
    // Only a transaction runs them without waiting.
    if (!this.#isTransaction && mayWait(signature, args)) throw new TypeError(`${signature.method}: a pipeline does not wait`)
    this.#requests.push({ command, signature, words: signature.words(args) })
    return this
  }

  call(...words: Value[]): this {
    if (words.length === 0) throw new TypeError('call: a command has at least a name')
    this.#requests.push({ command: BY_NAME, signature: CALL, words })
    return this
  }

  exec(): unknown[] | null {
    const requests = this.#requests
    this.#requests = []
    const replies = this.#isTransaction ? this.#transaction(requests) : requests.map((request) => replyOrRefusal(() => this.#run(request)))
    const refused = replies?.find((reply) => reply instanceof ReplyError)
    if (refused) throw new BatchError(refused, replies!)
    return replies
  }

  #transaction(requests: Request[]): unknown[] | null {
    this.#command('MULTI')
    try {
      for (const request of requests) this.#run(request)
    } catch (error) {
      this.#command('DISCARD')
      throw error
    }
    return this.#command('EXEC') as unknown[] | null
  }

  #command(name: string): unknown {
    return this.#run({ command: BY_NAME, signature: CALL, words: [name] })
  }

  #run({ command, signature, words }: Request): unknown {
    const { instance } = this.#caller
    instance.putAll(signature, words)
    return instance.run(this.#caller, command, words.length)
  }
}

/** Whether a method waits with these arguments: always, or by its option `block`. */
function mayWait(signature: Signature, args: readonly unknown[]): boolean {
  if (!signature.waits || !signature.options?.has('block')) return signature.waits
  return (args.at(-1) as { block?: unknown } | undefined)?.block !== undefined
}

/** Gives batches the methods. */
export function collect(methods: readonly Signature[]) {
  methods.forEach((signature, command) => {
    if (signature.method in Collector.prototype) return
    Object.defineProperty(Collector.prototype, signature.method, {
      value(this: Collector, ...args: unknown[]) {
        return this.add(command, signature, args)
      },
      writable: true,
      configurable: true,
    })
  })
}
