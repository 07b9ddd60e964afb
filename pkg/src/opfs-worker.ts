/** The private files for a page, which cannot have them itself: a worker that does nothing else. */
import { OpfsFiles } from './opfs-files.js'

/** A call from the page, by method. */
export interface Call {
  id: number
  method: 'open' | 'list' | 'read' | 'append' | 'sync' | 'replace' | 'remove' | 'release'
  args: unknown[]
}

/** Its outcome; of an error, what can be sent. */
export type Outcome = { id: number; value?: unknown } | { id: number; name: string; message: string }

let files: OpfsFiles | undefined

addEventListener('message', async ({ data }: MessageEvent<Call>) => {
  const { id, method, args } = data
  try {
    if (method === 'open') {
      files = await OpfsFiles.open(args[0] as string)
      postMessage({ id })
    } else {
      const value: unknown = await (files![method] as (...args: unknown[]) => Promise<unknown>)(...args)
      postMessage({ id, value })
    }
  } catch (error) {
    const { name, message } = error as Error
    postMessage({ id, name, message })
  }
})
