// Makes dist from src and the modules that lie in dist already: JavaScript and types for ESM and CommonJS, the entries for the
// lite module, and the one that carries its module within itself. `npm run build`, which `make pkg` calls.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import { buildSync } from 'esbuild'

const dist = (path) => fileURLToPath(new URL(`dist/${path}`, import.meta.url))

/** The entries that know where the module is; the lite ones differ in the file they find. */
const ENTRIES = ['index', 'node', 'bun', 'deno', 'workerd', 'edge']

/** What Node can load by `require`. */
const COMMON_JS = ['node', 'slim', 'base64', 'ioredis', 'node-redis', 'upstash', 'server', 'worker', 'shared', 'react', 'idb', 'opfs', 'file', 'durable-object']

execFileSync(process.execPath, [fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.url)), '--project', '.'], {
  cwd: fileURLToPath(new URL('.', import.meta.url)),
  stdio: 'inherit',
})
packModule()
askForSource()
if (existsSync(dist('lite/keyside.wasm'))) makeLite()
makeCommonJs()
chmodSync(dist('cli.js'), 0o755)

/** Puts the module into base64.js. */
function packModule() {
  const packed = gzipSync(readFileSync(dist('keyside.wasm')), { level: 9 }).toString('base64')
  edit('packed.js', (text) => text.replace("PACKED = ''", `PACKED = '${packed}'`))
}

/** Deno wants to hear that the module is not to be run. TypeScript does not know the word. */
function askForSource() {
  edit('deno.js', (text) => text.replace('import module from', 'import source module from'))
}

/** The same entries one folder below, where another keyside.wasm lies. */
function makeLite() {
  for (const entry of ENTRIES) {
    for (const kind of ['js', 'd.ts']) {
      writeFileSync(dist(`lite/${entry}.${kind}`), readFileSync(dist(`${entry}.${kind}`), 'utf8').replaceAll("'./", "'../").replaceAll("'../keyside.wasm", "'./keyside.wasm"))
    }
  }
}

/** Each file again as CommonJS, in a folder of their own that says so; types too, which say the same in both. */
function makeCommonJs() {
  const isNodes = (file) => !/^(index|bun|deno|workerd|edge|cli|host)\./.test(file)
  const files = readdirSync(dist('')).filter((file) => file.endsWith('.js') && isNodes(file))
  transform(files.map(dist), 'cjs', '..')
  writeFileSync(dist('cjs/package.json'), '{ "type": "commonjs" }\n')
  for (const file of readdirSync(dist('')).filter((file) => file.endsWith('.d.ts') && isNodes(file))) copyFileSync(dist(file), dist(`cjs/${file}`))
  if (!existsSync(dist('lite/node.js'))) return
  transform([dist('lite/node.js')], 'cjs/lite', '../../lite')
  copyFileSync(dist('lite/node.d.ts'), dist('cjs/lite/node.d.ts'))
}

/** The module stays where it is, so a file says it is where its ESM twin is. */
function transform(entryPoints, outdir, home) {
  mkdirSync(dist(outdir), { recursive: true })
  buildSync({
    entryPoints,
    outdir: dist(outdir),
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: `const moduleUrl = require('node:url').pathToFileURL(require('node:path').join(__dirname, '${home}', 'node.js')).href` },
    logLevel: 'warning',
  })
}

function edit(file, change) {
  const before = readFileSync(dist(file), 'utf8')
  const after = change(before)
  if (after === before) throw new Error(`build.js found nothing to change in ${file}`)
  writeFileSync(dist(file), after)
}
