// The command table, asked of the store itself: what completion offers and what help explains.

/**
 * @typedef {object} Command
 * @property {string} name in capitals, with its container: `CONFIG GET`
 * @property {string} summary
 * @property {string} since
 * @property {string} group
 * @property {string} complexity
 * @property {string[]} syntax the arguments, as manuals write them
 * @property {number} leading how many arguments come first, each a single word
 * @property {string[]} tokens the words that name its options
 * @property {{ syntax: string, type: string, isOptional: boolean, isMany: boolean }[]} parameters the same arguments, told apart
 * @property {boolean} isContainer whether it has subcommands instead of arguments
 */

/** Every command, by name. @returns {Map<string, Command>} */
export function commandTable(db) {
  const table = new Map()
  const add = (name, doc) => {
    const args = doc.arguments ?? []
    const leading = args.findIndex(({ flags = [], type }) => flags.length > 0 || ['oneof', 'block', 'pure-token'].includes(type))
    table.set(name, {
      name,
      summary: doc.summary ?? '',
      since: doc.since ?? '',
      group: doc.group ?? '',
      complexity: doc.complexity ?? '',
      syntax: args.map(syntax),
      parameters: args.map((it) => ({ syntax: syntax({ ...it, flags: [] }), type: it.type, isOptional: it.flags?.includes('optional') ?? false, isMany: it.flags?.includes('multiple') ?? false })),
      leading: leading < 0 ? args.length : leading,
      tokens: [...new Set(args.flatMap(tokens))],
      isContainer: doc.subcommands !== undefined,
    })
    for (const [sub, subDoc] of Object.entries(doc.subcommands ?? {})) add(sub.replace('|', ' ').toUpperCase(), subDoc)
  }
  const docs = Object.entries(db.call('COMMAND', 'DOCS')).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, doc] of docs) add(name.toUpperCase(), doc)
  return table
}

function syntax(argument) {
  const { token, type, flags = [] } = argument
  const parts = (argument.arguments ?? []).map(syntax)
  let text = argument.display_text ?? argument.name
  if (type === 'oneof') text = parts.join(' | ')
  else if (type === 'block') text = parts.join(' ')
  else if (type === 'pure-token') text = token
  if (token && type !== 'pure-token') text = `${token} ${text}`
  if (flags.includes('multiple')) text = `${text} [${text} …]`
  if (flags.includes('optional')) return `[${text}]`
  return type === 'oneof' ? `<${text}>` : text
}

function tokens(argument) {
  return [...(argument.token ? [argument.token] : []), ...(argument.arguments ?? []).flatMap(tokens)]
}

/** The command that a line starts with, the longest name first. */
export function commandOf(table, line) {
  const [first = '', second = ''] = line.trim().toUpperCase().split(/\s+/)
  return table.get(`${first} ${second}`) ?? table.get(first)
}

/**
 * What the last word of a line could become: the name of a command, or of an option where options can stand.
 * @returns {{ name: string, about: string, line: string }[]} `line` is the whole line then
 */
export function completions(table, line) {
  const typed = line.trimStart().toUpperCase().replace(/\s+/g, ' ')
  if (typed === '') return []
  const named = [...table.values()].filter(({ name }) => name.startsWith(typed) && name !== typed)
  if (named.length > 0) {
    // A container stands for its subcommands until it is written.
    const depth = Math.min(...named.map(wordsOf))
    return named.filter((it) => wordsOf(it) === depth).map(({ name, summary }) => ({ name, about: summary, line: `${name} ` }))
  }
  const command = commandOf(table, line)
  const last = /\S+$/.exec(line)?.[0].toUpperCase()
  if (!command || !last) return []
  const before = line.slice(0, -last.length)
  const given = before.trim().toUpperCase().split(/\s+/).slice(wordsOf(command))
  if (given.length < command.leading) return []
  return command.tokens
    .filter((token) => token.startsWith(last) && token !== last && !given.includes(token))
    .map((token) => ({ name: token, about: '', line: `${before}${token} ` }))
}

/** Which argument of its command the last word of a line is, or -1 where that is not certain. */
export function argumentAt(command, line) {
  const count = line.trimStart().split(/\s+/).length - wordsOf(command) - 1
  if (count < command.leading) return count
  return command.syntax.length === command.leading + 1 ? command.leading : -1
}

function wordsOf({ name }) {
  return name.includes(' ') ? 2 : 1
}
