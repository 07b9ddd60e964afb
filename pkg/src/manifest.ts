/**
 * Which parts an append-only file has, as Redis writes it down: a base, and what was logged since. It knows names and their
 * order, and nothing of what is in the parts.
 */

/** A part: all that was stored at one moment, or what happened since. */
export interface Part {
  readonly name: string
  /** Grows from one part of a kind to the next. */
  readonly sequence: number
  readonly isBase: boolean
}

/** What all names begin with. */
const PREFIX = 'appendonly.aof'

/** The name of the manifest itself. */
export const MANIFEST = `${PREFIX}.manifest`

/** The version of how a store is kept. It is a comment to Redis, whose directories have none. */
const VERSION = 1
const HEADER = /^# keyside (\d+)$/m

export class Manifest {
  constructor(readonly parts: readonly Part[] = []) {}

  /** Reads a manifest; throws an error that says what is wrong with it. */
  static parse(text: string): Manifest {
    const version = HEADER.exec(text)?.[1]
    if (version !== undefined && +version !== VERSION) {
      throw new Error(`it was written by another version of keyside (format ${version}, this one has ${VERSION}): use that version, or bring the data over with db.snapshot()`)
    }
    const parts = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')).map(parsePart)
    const living = parts.filter((part) => part !== undefined)
    const bases = living.filter(({ isBase }) => isBase)
    const increments = living.filter(({ isBase }) => !isBase)
    if (bases.length > 1) throw new Error('its manifest has two bases')
    if (living.length === 0) throw new Error('its manifest names no parts')
    return new Manifest([...bases, ...increments])
  }

  /** The part that is appended to. */
  get last(): Part | undefined {
    return this.parts.findLast(({ isBase }) => !isBase)
  }

  toString(): string {
    const lines = this.parts.map(({ name, sequence, isBase }) => `file ${name} seq ${sequence} type ${isBase ? 'b' : 'i'}\n`)
    return `# keyside ${VERSION}\n${lines.join('')}`
  }
}

/** A part as it is named. */
export function partOf(sequence: number, isBase: boolean): Part {
  return { name: `${PREFIX}.${sequence}.${isBase ? 'base.rdb' : 'incr.aof'}`, sequence, isBase }
}

/** Whether a name can be that of a part. */
export function isPartName(name: string): boolean {
  return /^appendonly\.aof\.\d+\.(base|incr)\.(rdb|aof)$/.test(name)
}

/** The part in a line; none if it is a part no more. */
function parsePart(line: string): Part | undefined {
  const words = line.trim().split(/\s+/)
  const value = (name: string) => (words.indexOf(name) % 2 === 0 ? words[words.indexOf(name) + 1] : undefined)
  const [name, sequence, type] = [value('file'), Number(value('seq')), value('type')]
  if (!name || name.includes('/') || name.startsWith('"') || !(sequence > 0) || !type || !'bih'.includes(type)) throw new Error(`its manifest has a line that makes no sense: ${line}`)
  return type === 'h' ? undefined : { name, sequence, isBase: type === 'b' }
}
