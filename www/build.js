// Makes target/www of the page, the package and what the page shows of others: `node www/build.js`, which `make www` calls.
// What it makes are static files for any host, in any folder; the service worker is told which they are.

import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { sections } from './reference/transcript.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'target/www')

/** What lies in www and is not for visitors. */
const OWN = new Set(['build.js', 'node_modules', 'package-lock.json', 'package.json', 'serve.js', 'test'])

/** The entries of the package that the page uses. */
const ENTRIES = ['index.js', 'lite/index.js', 'worker.js', 'shared.js']
const MODULES = ['keyside.wasm', 'lite/keyside.wasm', 'commands.d.ts', 'store.d.ts']

/** What comes from others, each as one module with its licence above. */
const VENDORED = { uplot: 'uplot', 'lru-cache': 'lru-cache', 'idb-keyval': 'idb-keyval' }

/** What is fetched when it is first needed, not with the first visit. */
const LATER = /^(keyside\/(?!lite\/).*\.wasm|vendor\/(lru-cache|idb-keyval)\.js)$/

rmSync(target, { recursive: true, force: true })
cpSync(join(root, 'www'), target, { recursive: true, filter: (path) => !OWN.has(relative(join(root, 'www'), path).split(sep)[0]) })
copyPackage()
vendor()
writeTranscripts()
writeServiceWorker()

/** The files of the package that its entries import, one after the other, and the modules. */
function copyPackage() {
  const dist = join(root, 'pkg/dist')
  const there = new Set(readdirSync(dist, { recursive: true }).map((path) => path.split(sep).join('/')))
  const wanted = new Set(MODULES.filter((path) => there.has(path)))
  const queue = ENTRIES.filter((path) => there.has(path))
  for (let path; (path = queue.pop()); ) {
    if (wanted.has(path)) continue
    wanted.add(path)
    const source = readFileSync(join(dist, path), 'utf8')
    for (const [, name] of source.matchAll(/(?:from|import|import\(|new URL\()\s*['"](\.{1,2}\/[^'"]+\.js)['"]/g)) queue.push(join(dirname(path), name).split(sep).join('/'))
  }
  for (const path of wanted) copy(join(dist, path), join(target, 'keyside', path))
}

function vendor() {
  for (const [name, from] of Object.entries(VENDORED)) {
    const folder = join(root, 'www/node_modules', name)
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const text = readFileSync(join(folder, readdirSync(folder).find((it) => /^licen[cs]e/i.test(it))), 'utf8')
    buildSync({
      stdin: { contents: `export * from '${from}'${name === 'uplot' ? `\nexport { default } from '${from}'` : ''}`, resolveDir: join(root, 'www') },
      outfile: join(target, 'vendor', `${name}.js`),
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      banner: { js: `/*! ${name} ${version}, ${license}\n${text.replaceAll('*/', '* /')}\n*/` },
      logLevel: 'warning',
    })
  }
  copy(join(root, 'www/node_modules/uplot/dist/uPlot.min.css'), join(target, 'vendor/uplot.css'))
}

/** The transcripts as the reference shows them: each section with the commands that it is about. */
function writeTranscripts() {
  const folder = join(root, 'tests/commands')
  const files = readdirSync(folder).filter((file) => file.endsWith('.md') && file !== 'README.md').sort()
  const all = files.flatMap((file) => sections(readFileSync(join(folder, file), 'utf8')))
  writeFileSync(join(target, 'reference/transcripts.json'), JSON.stringify(all))
}

/** Its version is made of all files, so that a page that is the same is not fetched again. */
function writeServiceWorker() {
  const files = readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => relative(target, join(it.parentPath ?? it.path, it.name)).split(sep).join('/'))
    .filter((path) => path !== 'service-worker.js')
    .sort()
  const hash = createHash('sha256')
  for (const path of files) hash.update(`${path}\0`).update(readFileSync(join(target, path)))
  const source = readFileSync(join(target, 'service-worker.js'), 'utf8')
  const made = source
    .replace("VERSION = ''", `VERSION = '${hash.digest('hex').slice(0, 16)}'`)
    .replace('FIRST = []', `FIRST = ${JSON.stringify(files.filter((it) => !LATER.test(it)))}`)
    .replace('LATER = []', `LATER = ${JSON.stringify(files.filter((it) => LATER.test(it)))}`)
  if (made === source) throw new Error('build.js found nothing to change in service-worker.js')
  writeFileSync(join(target, 'service-worker.js'), made)
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to)
}
