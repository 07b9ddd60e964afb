/**
 * A store for those on the other side of a port, be it a worker's, a channel's or a tab's. Each of their connections is a
 * stream of RESP with a number; the port carries pieces of streams, and questions about the store itself.
 */
import type { Store } from './store.js'
import { Wire } from './wire.js'

/** What messages go through: a MessagePort, a worker, a BroadcastChannel. */
export interface Pipe {
  postMessage(message: unknown, transfer?: Transferable[]): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
  removeEventListener(type: 'message', listener: (event: MessageEvent) => void): void
  start?(): void
}

/** Bytes of a stream, in either direction; null ends it. */
export type Piece = [stream: number, bytes: Uint8Array | null]

/** What is asked of the store itself, and the answer. */
export type Question = { id: number; ask: 'persisted' | 'snapshot' | 'place' | 'close' }
export type Answer = { id: number; value?: unknown } | { id: number; error: string; name: string }

/** Serves the store through a port, until the returned function is called. */
export function serve(store: Store, port: Pipe): () => void {
  const wires = new Map<number, Wire>()
  const send = (stream: number, bytes: Uint8Array | null) => {
    // A reply is a copy of its own already.
    port.postMessage([stream, bytes] satisfies Piece, bytes ? [bytes.buffer as ArrayBuffer] : [])
  }
  const open = (stream: number) => {
    const wire = new Wire(store, {
      received: (bytes) => send(stream, bytes),
      ended: () => {
        wires.delete(stream)
        send(stream, null)
      },
    })
    wires.set(stream, wire)
    return wire
  }
  const take = ([stream, bytes]: Piece) => {
    try {
      if (bytes) (wires.get(stream) ?? open(stream)).write(bytes)
      else {
        wires.get(stream)?.close()
        wires.delete(stream)
      }
    } catch {
      // The store has ended, of which all its connections are told.
      send(stream, null)
    }
  }
  const answer = async ({ id, ask }: Question) => {
    try {
      const value = ask === 'place' ? store.place : await store[ask]()
      port.postMessage({ id, value } satisfies Answer)
    } catch (error) {
      port.postMessage({ id, error: (error as Error).message, name: (error as Error).name } satisfies Answer)
    }
  }
  const listener = ({ data }: MessageEvent) => {
    if (Array.isArray(data)) take(data as Piece)
    else if (data && 'ask' in data) void answer(data as Question)
  }
  port.addEventListener('message', listener)
  port.start?.()
  return () => {
    port.removeEventListener('message', listener)
    for (const wire of wires.values()) wire.close()
  }
}
