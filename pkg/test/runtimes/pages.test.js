// The packed package in a page: from a static server without a bundler, and out of the bundlers.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

import { build as esbuild } from 'esbuild'
import { chromium } from 'playwright-core'
import { build as viteBuild, createServer as viteServer } from 'vite'
import webpack from 'webpack'

import { CONTRACT, SEEN, project, serve } from './project.js'

const PAGE = (script) => `<!doctype html><meta charset="utf-8"><script type="module" src="${script}"></script>`
const main = (entry) => `import * as keyside from '${entry}'\n${CONTRACT}\nglobalThis.seen = contract(keyside).catch((error) => String(error))`

let home
let browser
before(async () => {
  home = project()
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', timeout: 30_000, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
})
after(async () => {
  await browser?.close()
  home?.remove()
})

/** Opens a page; what it saw is as promised, and it has nothing to complain of. */
async function shows(url) {
  const page = await browser.newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && !message.text().includes('favicon') && errors.push(`${message.text()} ${message.location().url}`))
  try {
    await page.goto(url, { timeout: 20_000 })
    await page.waitForFunction('globalThis.seen', null, { timeout: 20_000 })
    assert.deepEqual(await page.evaluate('globalThis.seen'), SEEN)
    assert.deepEqual(errors.filter((error) => !error.includes('favicon.ico')), [])
  } finally {
    await page.close()
  }
}

async function isServed(folder) {
  const server = await serve(folder)
  try {
    await shows(server.url)
  } finally {
    server.close()
  }
}

/** The text of all scripts in a folder. */
function scripts(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => /\.m?js$/.test(file))
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
}

const NODE_BUILTIN = /from\s*["']node:|require\(["'](node:|fs|net|stream)/

for (const entry of ['keyside', 'keyside/lite', 'keyside/base64']) {
  const name = entry.replace('/', '-')

  test(`a page loads ${entry} from a static server, under a strict policy`, async () => {
    const file = { keyside: 'index.js', 'keyside/lite': 'lite/index.js', 'keyside/base64': 'base64.js' }[entry]
    home.write('index.html', PAGE('/plain.js'))
    home.write('plain.js', main(`/node_modules/keyside/dist/${file}`))
    await isServed(home.root)
  })

  test(`vite builds ${entry}, and serves it while it is worked on`, async () => {
    const root = home.path(`vite-${name}`)
    home.write(`vite-${name}/index.html`, PAGE('/main.js'))
    home.write(`vite-${name}/main.js`, main(entry))
    await viteBuild({ root, configFile: false, logLevel: 'error' })
    assert.doesNotMatch(scripts(join(root, 'dist')), NODE_BUILTIN)
    await isServed(join(root, 'dist'))
    const server = await viteServer({ root, configFile: false, logLevel: 'error', server: { host: '127.0.0.1', port: 0 }, cacheDir: join(root, '.vite') })
    try {
      await server.listen()
      await shows(`http://127.0.0.1:${server.httpServer.address().port}/`)
    } finally {
      await server.close()
    }
  })

  test(`webpack builds ${entry}`, async () => {
    const folder = `webpack-${name}`
    home.write(`${folder}/main.js`, main(entry))
    const stats = await promisify(webpack)({ mode: 'production', context: home.path(folder), entry: './main.js', output: { path: home.path(`${folder}/dist`), publicPath: 'auto' }, performance: false })
    assert.equal(stats.hasErrors() || stats.hasWarnings(), false, stats.toString())
    assert.doesNotMatch(scripts(home.path(`${folder}/dist`)), NODE_BUILTIN)
    home.write(`${folder}/dist/index.html`, PAGE('/main.js'))
    await isServed(home.path(`${folder}/dist`))
  })
}

test('esbuild copies the module as it is told, or needs none', async () => {
  const options = { bundle: true, format: 'esm', platform: 'browser', minify: true, logLevel: 'error' }
  for (const [entry, code] of [
    ['base64', main('keyside/base64')],
    ['slim', `import wasm from 'keyside/lite.wasm'\n${main('keyside/slim').replace('contract(keyside)', 'contract({ ...keyside, open: () => keyside.open({ wasm: new URL(wasm, import.meta.url) }) })')}`],
  ]) {
    const source = home.write(`esbuild-${entry}/main.js`, code)
    await esbuild({ ...options, entryPoints: [source], outdir: home.path(`esbuild-${entry}/dist`), loader: { '.wasm': 'file' } })
    assert.doesNotMatch(scripts(home.path(`esbuild-${entry}/dist`)), NODE_BUILTIN)
    home.write(`esbuild-${entry}/dist/index.html`, PAGE('/main.js'))
    await isServed(home.path(`esbuild-${entry}/dist`))
  }
})
