// The packed package where there is no page: Node both ways, Deno, Bun, and Cloudflare's runtime.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'
import { Miniflare } from 'miniflare'

import { CONTRACT, SEEN, project, run } from './project.js'

/** A program that lies in a package of its platform's name. */
function program(scope, path) {
  const folder = fileURLToPath(new URL(`node_modules/${scope}/`, import.meta.url))
  return join(folder, readdirSync(folder)[0], path)
}

const DENO = program('@deno', 'deno')
const BUN = program('@oven', 'bin/bun')

const PRINT = `${CONTRACT}\ncontract(keyside).then((seen) => console.log(JSON.stringify(seen)))`
const esm = (entry) => `import * as keyside from '${entry}'\n${PRINT}`
const cjs = (entry) => `const keyside = require('${entry}')\n${PRINT}`

let home
before(() => {
  home = project()
})
after(() => home.remove())

for (const entry of ['keyside', 'keyside/lite', 'keyside/base64']) {
  const name = entry.replace('/', '-')

  test(`Node imports ${entry}`, () => {
    home.write(`${name}.mjs`, esm(entry))
    assert.deepEqual(run(process.execPath, [`${name}.mjs`], home.root), SEEN)
  })

  test(`Node requires ${entry}`, () => {
    home.write(`${name}.cjs`, cjs(entry))
    assert.deepEqual(run(process.execPath, [`${name}.cjs`], home.root), SEEN)
  })

  test(`Deno imports ${entry} without asking for permissions`, () => {
    home.write(`${name}.mjs`, esm(entry))
    assert.deepEqual(run(DENO, ['run', '--no-prompt', `${name}.mjs`], home.root), SEEN)
  })

  test(`Bun imports and requires ${entry}`, () => {
    home.write(`${name}.mjs`, esm(entry))
    home.write(`${name}.cjs`, cjs(entry))
    for (const file of [`${name}.mjs`, `${name}.cjs`]) assert.deepEqual(run(BUN, [file], home.root), SEEN)
  })
}

test('Bun compiles a program that has the module within it', () => {
  home.write('program.mjs', esm('keyside'))
  run(BUN, ['-e', "await Bun.build({ entrypoints: ['program.mjs'], compile: { outfile: 'program' } }); console.log('0')"], home.root)
  assert.deepEqual(run(home.path('program'), [], '/'), SEEN)
})

test('keyside/slim is brought the module', () => {
  home.write('slim.mjs', `
    import { readFile } from 'node:fs/promises'
    import { open, ReplyError } from 'keyside/slim'
    const wasm = readFile(new URL(import.meta.resolve('keyside/lite.wasm')))
    const keyside = { open: () => open({ wasm }), ReplyError }
    ${PRINT}`)
  assert.deepEqual(run(process.execPath, ['slim.mjs'], home.root), SEEN)
})

test('npx keyside serves any client, and says what it does not know', async () => {
  home.write('client.mjs', `
    import { execFileSync, spawn } from 'node:child_process'
    import { createConnection } from 'node:net'
    const server = spawn(process.execPath, ['node_modules/.bin/keyside', '--port', '0'])
    const [, port] = await new Promise((resolve) => server.stdout.on('data', (text) => resolve(/:(\\d+)/.exec(text))))
    const socket = createConnection(+port, '127.0.0.1')
    socket.end('PING\\r\\nSET k v\\r\\nGET k\\r\\n')
    let said = ''
    for await (const bytes of socket) said += bytes
    server.kill()
    const code = await new Promise((resolve) => server.once('exit', resolve))
    console.log(JSON.stringify([said, code]))`)
  assert.deepEqual(run(process.execPath, ['client.mjs'], home.root), ['+PONG\r\n+OK\r\n$1\r\nv\r\n', 0])
})

test('a worker and a Durable Object of Cloudflare have stores of their own', async (t) => {
  for (const entry of ['keyside', 'keyside/lite']) {
    const source = home.write('worker.js', `
      import * as keyside from '${entry}'
      import { handler } from 'keyside/upstash'
      ${CONTRACT}
      export class Shelf {
        constructor() { this.fetcher = keyside.open().then((db) => handler(db, { token: 'secret' })) }
        async fetch(request) { return (await this.fetcher)(request) }
      }
      export default {
        async fetch(request, env) {
          if (new URL(request.url).pathname === '/contract') return Response.json(await contract(keyside))
          return env.SHELF.get(env.SHELF.idFromName('one')).fetch(request)
        },
      }`)
    await build({
      entryPoints: [source], outfile: home.path('worker/index.mjs'), bundle: true, format: 'esm', target: 'es2022',
      conditions: ['workerd', 'worker', 'browser'], loader: { '.wasm': 'copy' }, assetNames: '[name]', logLevel: 'error',
    })
    const [code, wasm] = ['index.mjs', 'keyside.wasm'].map((name) => readFileSync(home.path(`worker/${name}`)))
    const worker = new Miniflare({
      modules: [{ type: 'ESModule', path: 'index.mjs', contents: code.toString() }, { type: 'CompiledWasm', path: 'keyside.wasm', contents: wasm }],
      compatibilityDate: '2026-07-01', durableObjects: { SHELF: 'Shelf' }, host: '127.0.0.1', port: 0,
    })
    t.after(() => worker.dispose())
    const contract = await worker.dispatchFetch('http://localhost/contract', { signal: AbortSignal.timeout(20_000) })
    assert.deepEqual(await contract.json(), SEEN)
    const ask = async (path) => (await worker.dispatchFetch(`http://localhost${path}`, { headers: { authorization: 'Bearer secret' } })).json()
    assert.deepEqual(await ask('/set/k/v'), { result: 'OK' })
    assert.deepEqual(await ask('/get/k'), { result: 'v' })
  }
})
