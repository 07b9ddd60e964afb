// The notation of tests/commands/*.md as far as the page needs it: sections with their prose and their requests. Replies are
// left out, as the page asks the store for them.

const COMMANDS = /^[A-Z][A-Z0-9_.-]*( [A-Z][A-Z0-9_.-]*)?(, [A-Z][A-Z0-9_.-]*( [A-Z][A-Z0-9_.-]*)?)*$/
const REQUEST = /^(?:([A-Z])?> (.*)|\+(\d+)ms|(#.*))$/

/**
 * @typedef {object} Section
 * @property {string[]} commands what its heading names
 * @property {({ prose: string } | { block: string, resp2?: true })[]} parts paragraphs, and blocks of requests
 */

/** The sections of a file that are about commands. @returns {Section[]} */
export function sections(text) {
  const found = []
  let ofFile = ''
  let ofSection = ''
  for (const [, comment, heading, attributes, block, prose] of text.matchAll(/^<!-- redis: (.*) -->$|^## (.*)$|^```redis(.*)\n([^]*?)^```$|^((?!```|#|<!--).+(?:\n(?!```|#|<!--).+)*)/gm)) {
    if (comment !== undefined) {
      ofSection += ` ${comment}`
      if (found.length === 0) ofFile = ofSection
    } else if (heading !== undefined) {
      found.push({ commands: COMMANDS.test(heading) ? heading.split(', ') : [], parts: [] })
      ofSection = ofFile
    } else if (prose !== undefined) {
      found.at(-1)?.parts.push({ prose })
    } else if (isForUs(`${ofSection} ${attributes}`, block)) {
      const isOld = /\bresp2\b/.test(`${ofSection} ${attributes}`)
      found.at(-1)?.parts.push({ block: block.split('\n').filter((line) => REQUEST.test(line)).join('\n'), ...(isOld && { resp2: true }) })
    }
  }
  return found.filter(({ commands }) => commands.length > 0)
}

/** Requests that are bytes, and those meant for another server or for an older one, are not for the page. */
function isForUs(attributes, block) {
  return !/\bonly=redis\b|\buntil=/.test(attributes) && !/^[A-Z]?>raw /m.test(block)
}

/**
 * The steps of a block: a request of a client, a time that passes, or a comment.
 * @returns {{ text: string, client?: string, line?: string, wait?: number }[]} `line` is what a terminal takes
 */
export function steps(block) {
  return block.split('\n').flatMap((text) => {
    const [, client = '', line, wait, comment] = REQUEST.exec(text) ?? []
    if (wait !== undefined) return [{ text, wait: Number(wait) }]
    if (line !== undefined) return [{ text, client, line: expanded(line) }]
    // What has no sign is a request too: people edit this.
    return comment === undefined && text.trim() ? [{ text, client: '', line: expanded(text) }] : []
  })
}

const LONGEST = 1_000_000

/** A line with `"x"*100` and `f{1..3}` written out. */
function expanded(line) {
  return line.replace(/("(?:\\.|[^"\\])*"|'(?:\\'|[^'])*')(?:\*(\d+))?|([^ "']*)\{(\d+)\.\.(\d+)\}([^ "']*)/g, (whole, quoted, times, before, first, last, after) => {
    if (times) return quoted[0] + quoted.slice(1, -1).repeat(Math.min(Number(times), LONGEST)) + quoted[0]
    if (quoted) return quoted
    return Array.from({ length: Math.min(Number(last) - Number(first) + 1, LONGEST) }, (_, i) => `${before}${Number(first) + i}${after}`).join(' ')
  })
}
