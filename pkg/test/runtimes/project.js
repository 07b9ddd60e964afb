// An empty project with the packed package in it, what every runtime has to show, and how programs are run in bounded time.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** What the package promises first, as text: `contract(keyside)` resolves to `SEEN`. */
export const CONTRACT = `
async function contract({ open, ReplyError }) {
  const db = await open()
  const other = db.connect()
  db.set('k', 'ü', { px: 700 })
  const seen = [
    db.hset('session:abc123', { user_id: 1, role: 'user' }),
    db.hgetall('session:abc123'),
    db.zadd('board', { ada: 10 }),
    db.zrange('board', 0, -1, { withscores: true }),
    db.call('STRLEN', 'k'),
    Array.from(db.bytes.get('k')),
    other.get('k'),
  ]
  try { db.incr('k') } catch (error) { seen.push(error instanceof ReplyError && error.code) }
  const popped = db.blpop('queue', 5)
  other.rpush('queue', 'job')
  seen.push(await popped)
  await new Promise((resolve) => setTimeout(resolve, 720))
  seen.push(db.get('k'))
  db.close()
  try { db.get('k') } catch (error) { seen.push(error.message) }
  return seen
}
`

export const SEEN = [2, { user_id: '1', role: 'user' }, 1, [['ada', 10]], 2, [195, 188], 'ü', 'ERR', ['queue', 'job'], null, 'keyside: the store is closed']

/** A folder with the package installed from its tarball, and the named tools in reach. */
export function project(...tools) {
  const root = mkdtempSync(join(tmpdir(), 'keyside-runtime-'))
  const npm = (...args) => execFileSync('npm', [...args, '--silent', '--ignore-scripts'], { cwd: root, encoding: 'utf8', timeout: 60_000 })
  const tarball = npm('pack', join(here, '../..')).trim().split('\n').at(-1)
  writeFileSync(join(root, 'package.json'), '{ "private": true, "type": "module" }')
  npm('install', '--offline', '--no-audit', '--no-fund', '--no-save', join(root, tarball))
  for (const tool of tools) {
    mkdirSync(dirname(join(root, 'node_modules', tool)), { recursive: true })
    symlinkSync(join(here, 'node_modules', tool), join(root, 'node_modules', tool))
  }
  const path = (name) => join(root, name)
  const write = (name, text) => {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), text)
    return path(name)
  }
  return { root, tarball: path(tarball), path, write, remove: () => rmSync(root, { recursive: true, force: true }) }
}

/** Runs a program and returns the JSON in its last line. */
export function run(program, args, cwd, timeout = 20_000) {
  const output = execFileSync(program, args, { cwd, encoding: 'utf8', timeout, killSignal: 'SIGKILL', env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] })
  return JSON.parse(output.trim().split('\n').at(-1))
}

/** Starts a program; resolves with it when it has said what `ready` matches. */
export function start(program, args, cwd, ready, timeout = 20_000) {
  const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: '1' } })
  let said = ''
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${program} is not ready: ${said}`)), timeout)
    const hear = (bytes) => {
      said += bytes
      const match = ready.exec(said)
      if (!match) return
      clearTimeout(timer)
      resolve({ child, match })
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', reject)
  })
}

const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' }

/** Serves a folder; a page asks for nothing that is not in it, under a strict policy. */
export async function serve(root) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const file = pathname.endsWith('/') ? pathname + 'index.html' : pathname
    const body = await readFile(join(root, file)).catch(() => null)
    response.writeHead(body === null ? 404 : 200, {
      'content-type': TYPES[extname(file)] ?? 'text/plain',
      'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
    })
    response.end(body ?? '')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${server.address().port}/`, close }
}
