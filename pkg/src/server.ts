/** Servers in Node, Deno or Bun on a store in the same process: RESP over TCP, and Upstash's REST protocol over HTTP. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'

import type { Store } from './store.js'
import { handler, type HandlerOptions } from './upstash.js'
import { Wire } from './wire.js'

/** Where to listen. */
export interface ListenOptions {
  /** 0, as is also said by leaving it out, takes a free one. */
  port?: number
  /** Only this machine reaches the default, 127.0.0.1. */
  host?: string
  /** A UNIX socket or a named pipe, in place of host and port. */
  path?: string
}

/** A server that listens. The store is not its own: closing the one leaves the other. */
export interface Listening {
  readonly port: number
  readonly host: string
  /** For clients: `redis://127.0.0.1:6379`. */
  readonly url: string
  /** Ends all connections. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A client that leaves more messages than this unread is closed, as Redis does it with subscribers. */
const UNREAD_MAX = 32 << 20

/** Serves the store over TCP to any Redis client. */
export async function listen(store: Store, options: ListenOptions = {}): Promise<Listening> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    attach(store, socket)
  })
  return listening(server, 'redis', options, () => sockets.forEach((socket) => socket.destroy()))
}

/** Serves the store over HTTP to @upstash/redis and whatever else speaks Upstash's REST protocol. */
export async function listenHttp(store: Store, options: ListenOptions & HandlerOptions): Promise<Listening> {
  const fetch = handler(store, options)
  const server = createHttpServer((request, response) => void respond(fetch, request, response))
  return listening(server, 'http', options, () => server.closeAllConnections())
}

function attach(store: Store, socket: Socket) {
  let isAnswering = false
  const wire = new Wire(
    store,
    {
      received(bytes) {
        if (!isAnswering && socket.writableLength > UNREAD_MAX) socket.destroy()
        else if (!socket.write(bytes)) socket.pause()
      },
      ended: () => socket.end(),
    },
    { remote: address(socket.remoteAddress, socket.remotePort), local: address(socket.localAddress, socket.localPort) },
  )
  socket.on('data', (bytes) => {
    isAnswering = true
    try {
      wire.write(bytes)
    } catch {
      // The store failed, and says so to whoever holds it.
      socket.destroy()
    }
    isAnswering = false
  })
  socket.on('drain', () => socket.resume())
  socket.on('error', () => {})
  socket.once('close', () => wire.close())
}

function address(host = 'local', port = 0): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

async function listening(server: Server, scheme: string, { port = 0, host = '127.0.0.1', path }: ListenOptions, end: () => void): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path === undefined ? { port, host } : { path }, resolve)
  })
  const bound = server.address() as AddressInfo | string
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      end()
    })
  if (typeof bound === 'string') return { port: 0, host: bound, url: `unix://${bound}`, close, [Symbol.asyncDispose]: close }
  return { port: bound.port, host: bound.address, url: `${scheme}://${address(bound.address, bound.port)}`, close, [Symbol.asyncDispose]: close }
}

async function respond(fetch: (request: Request) => Promise<Response>, incoming: IncomingMessage, outgoing: ServerResponse) {
  const aborted = new AbortController()
  outgoing.once('close', () => aborted.abort())
  try {
    const response = await fetch(requestOf(incoming, aborted.signal))
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.flushHeaders()
    if (response.body) await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing)
    else outgoing.end()
  } catch {
    // The client went away, or the store did.
    if (!outgoing.headersSent) outgoing.writeHead(500)
    outgoing.end()
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', headers } = incoming
  const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
  const body = hasBody ? (Readable.toWeb(incoming) as unknown as globalThis.ReadableStream) : null
  const url = new URL(incoming.url ?? '/', 'http://localhost')
  return new Request(url, { method, headers: headers as Record<string, string>, body, signal, duplex: 'half' } as RequestInit)
}
