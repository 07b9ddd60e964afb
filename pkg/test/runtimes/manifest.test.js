// What others read in the manifest and the types: publint, are-the-types-wrong, and a compiler in both module systems.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

import { project } from './project.js'

const ATTW = fileURLToPath(new URL('node_modules/@arethetypeswrong/cli/dist/index.js', import.meta.url))
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))

let home
before(() => {
  home = project()
})
after(() => home.remove())

test('publint finds nothing', async () => {
  const { messages, pkg } = await publint({ pkgDir: home.path('node_modules/keyside'), strict: true })
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), [])
})

test('the types are right for every way to import that Node and bundlers have', () => {
  const { stdout, status } = spawnSync(process.execPath, [ATTW, home.tarball, '--profile', 'node16', '--format', 'ascii', '--no-emoji', '--exclude-entrypoints', 'keyside.wasm', 'lite.wasm'], { encoding: 'utf8', timeout: 60_000 })
  assert.equal(status, 0, stdout)
})

test('strict TypeScript takes the entries as ESM and as CommonJS', () => {
  const entries = ['keyside', 'keyside/lite', 'keyside/slim', 'keyside/base64', 'keyside/upstash', 'keyside/node-redis', 'keyside/server', 'keyside/worker', 'keyside/shared', 'keyside/idb', 'keyside/opfs', 'keyside/file', 'keyside/durable-object']
  const text = entries.map((entry, i) => `import * as entry${i} from '${entry}'\nvoid entry${i}`).join('\n')
  home.write('types.mts', text)
  home.write('types.cts', text)
  const options = '--ignoreConfig --noEmit --strict --skipLibCheck false --target es2022 --module nodenext --lib es2023,esnext.disposable,dom,dom.iterable --types node --typeRoots'
  const roots = fileURLToPath(new URL('../../node_modules/@types', import.meta.url))
  assert.equal(spawnSync(process.execPath, [TSC, ...options.split(' '), roots, 'types.mts', 'types.cts'], { cwd: home.root, encoding: 'utf8', timeout: 60_000 }).stdout, '')
})

test('the tarball holds what is needed and nothing else', () => {
  const files = execFileSync('tar', ['-tzf', home.tarball], { encoding: 'utf8' }).trim().split('\n').map((file) => file.replace('package/', ''))
  assert.deepEqual(files.filter((file) => !/^(README\.md|package\.json|dist\/.+\.(js|d\.ts|wasm)|dist\/cjs\/package\.json)$/.test(file)), [])
})
