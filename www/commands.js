// The command table, asked of the store itself: names for completion, syntax and summary for help.

/** @typedef {{ name: string, summary: string, since: string, group: string, complexity: string, syntax: string }} Command */

/** Every command, by name in capitals. */
export function commandTable(db) {
  const table = new Map()
  const add = (name, doc, parent) => {
    const full = (parent ? `${parent} ${name.split('|').pop()}` : name).toUpperCase()
    table.set(full, {
      name: full,
      summary: doc.summary ?? '',
      since: doc.since ?? '',
      group: doc.group ?? '',
      complexity: doc.complexity ?? '',
      syntax: (doc.arguments ?? []).map(syntax).join(' '),
    })
    for (const [sub, subDoc] of Object.entries(doc.subcommands ?? {})) add(sub, subDoc, full)
  }
  for (const [name, doc] of Object.entries(db.call('COMMAND', 'DOCS'))) add(name, doc)
  return table
}

/** The syntax of one argument, as manuals write it. */
function syntax(argument) {
  const flags = argument.flags ?? []
  let inner
  if (argument.type === 'oneof') inner = argument.arguments.map(syntax).join(' | ')
  else if (argument.type === 'block') inner = argument.arguments.map(syntax).join(' ')
  else if (argument.type === 'pure-token') inner = argument.token
  else inner = argument.display_text ?? argument.name
  if (argument.token && argument.type !== 'pure-token') inner = `${argument.token} ${inner}`
  if (flags.includes('multiple')) inner = `${inner} [${inner} …]`
  if (flags.includes('optional')) return `[${inner}]`
  return argument.type === 'oneof' ? `<${inner}>` : inner
}

/** The command that a line starts with, the longest name first. */
export function commandOf(table, line) {
  const [first = '', second = ''] = line.trim().toUpperCase().split(/\s+/)
  return table.get(`${first} ${second}`) ?? table.get(first)
}
