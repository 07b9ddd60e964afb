// The methods of the package as its own typings write them.

/**
 * The forms of a command's method, such as `hlen(key: Value): number`.
 * @param {string[]} typings the texts of the package's `.d.ts` files that have methods
 */
export function forms(typings, command) {
  const name = methodName(command)
  const declared = new RegExp(`^ +${name}(?:<[^(]*>)?\\(.*$`, 'gm')
  const found = typings.flatMap((text) => Array.from(text.matchAll(declared), ([line]) => line.trim().replace(/;$/, '')))
  return [...new Set(found)]
}

/** As the package names it: `config_get`. */
export function methodName(command) {
  return command.toLowerCase().replace(/[ .-]/g, '_')
}
