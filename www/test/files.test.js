// Files: dropped, opened, saved, refused.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { goTo, page, type } from './visitor.js'

const said = (text) => page.waitForSelector(`.said:has-text("${text}")`)
const choose = (name, buffer) => page.setInputFiles('.zone input', { name, mimeType: 'application/octet-stream', buffer })

async function save() {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('.files .primary')])
  return readFile(await download.path())
}

test('what is saved can be dropped anywhere, and browsed', async () => {
  await type('MSET user:1 ada user:2 grace', 'SELECT 3', 'HSET h f v', 'SELECT 0')
  await goTo('files')
  const file = await save()
  assert.equal(file.subarray(0, 5).toString(), 'REDIS')
  await goTo('terminal')
  await type('FLUSHALL', 'SET other 1')
  await page.evaluate((bytes) => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File([Uint8Array.from(bytes)], 'dump.rdb'))
    for (const kind of ['dragover', 'drop']) document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }))
  }, [...file])
  await said('This replaces the 1 keys')
  await page.click('.said button:text-is("Replace them")')
  await said('dump.rdb is open: 3 keys.')
  await page.click('.said a')
  await page.waitForSelector('.row.folder .name:text-is("user:")')
  await goTo('terminal')
  assert.deepEqual(await type('GET user:2'), ['"grace"'])
  assert.deepEqual(await type('SELECT 3', 'HGETALL h'), ['1# "f" => "v"'])
})

test('redis-server loads what is saved', async () => {
  await type('SET greeting hello', 'ZADD board 1 ada 2 grace', 'XADD x 1-1 f v', 'SET brief v EX 1000')
  await goTo('files')
  const file = await save()
  const dir = await mkdtemp(join(tmpdir(), 'keyside-files-'))
  const port = await freePort()
  await (await import('node:fs/promises')).writeFile(join(dir, 'dump.rdb'), file)
  const server = spawn('redis-server', ['--port', String(port), '--dir', dir, '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' })
  try {
    assert.equal(await ask(port, 'GET greeting\r\nZRANGE board 0 -1\r\nXLEN x\r\nDBSIZE\r\nQUIT\r\n'), '$5\r\nhello\r\n*2\r\n$3\r\nada\r\n$5\r\ngrace\r\n:1\r\n:4\r\n+OK\r\n')
  } finally {
    server.kill()
    await rm(dir, { recursive: true })
  }
})

test('what is no RDB file is refused, and the store goes on', async () => {
  await type('SET k v')
  await goTo('files')
  await choose('photo.png', Buffer.from('\x89PNG\r\n'))
  await said('photo.png is no RDB file')
  await choose('cut.rdb', Buffer.from('REDIS0011\xfe\x00\x00', 'latin1'))
  await said('This replaces')
  await page.click('.said button:text-is("Replace them")')
  await page.waitForSelector('.said.error:has-text("cannot be read")')
  await page.evaluate(async () => {
    const file = new File(['REDIS0011'], 'large.rdb')
    Object.defineProperty(file, 'size', { value: 2 ** 31 })
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File([], 'x'))
    const event = new DragEvent('drop', { bubbles: true, cancelable: true })
    Object.defineProperty(event, 'dataTransfer', { value: { types: ['Files'], files: [file] } })
    document.body.dispatchEvent(event)
  })
  await said('large.rdb has 2.1 GB; a tab can open up to')
  await goTo('terminal')
  assert.deepEqual(await type('GET k'), ['"v"'])
})

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** Sends lines to a server as soon as it listens, and returns all that it says. */
async function ask(port, lines) {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return await new Promise((resolve, reject) => {
        let text = ''
        const socket = connect(port, '127.0.0.1', () => socket.write(lines))
        socket.on('data', (data) => (text += data)).on('end', () => resolve(text)).on('error', reject)
      })
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error('redis-server does not listen')
}

test('the store is kept in this browser, by one tab at a time, until it is not to be', async () => {
  await type('SET k v')
  await goTo('files')
  await page.click('.files button:text-is("Keep it in this browser")')
  await page.waitForSelector('.files p:text("IndexedDB under idb://page-")')
  await goTo('terminal')
  await type('SET later 1', 'EVAL "return redis.call(\'SET\', \'scripted\', 1)" 0')
  // What changes is made safe once a second.
  await page.waitForTimeout(2500)
  await page.reload()
  await page.waitForSelector('.greeting:has-text("holds what was kept")')
  assert.deepEqual(await type('MGET k later scripted'), ['1) "v"\n2) "1"\n3) "1"'])

  const other = await page.context().newPage()
  await other.goto(page.url())
  await other.waitForSelector('.greeting .error:has-text("in use by another")')
  await other.close()

  await goTo('files')
  await page.click('.files button:text-is("Keep it no longer")')
  await page.waitForSelector('.files p:text("in memory only")')
  await goTo('terminal')
  assert.deepEqual(await type('GET k'), ['"v"'])
  await page.reload()
  await page.waitForSelector('.greeting:has-text("as empty as can be")')
})
