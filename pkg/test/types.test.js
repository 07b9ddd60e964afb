// The types say what the methods take and return.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('types.ts compiles, and only what it expects to fail fails', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const options = '--ignoreConfig --noEmit --strict --skipLibCheck false --target es2022 --module nodenext --lib es2023,esnext.disposable,dom,dom.iterable --types node'
  const { stdout, status } = spawnSync('node_modules/.bin/tsc', [...options.split(' '), 'test/types.ts'], { cwd: folder, encoding: 'utf8' })
  assert.equal(stdout, '')
  assert.equal(status, 0)
})
