/** Files by their URL, for runtimes that have files; all else is fetched. */
import { readFile } from 'node:fs/promises'

export function read(url: string): Promise<Response | BufferSource> {
  return url.startsWith('file:') ? readFile(new URL(url)) : fetch(url)
}
