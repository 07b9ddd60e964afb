// The transcripts of tests/commands, run through the package: the same words, and the values that users get.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { open } from 'keyside'

import { CLOSED, matches, parse } from './transcript/notation.js'

const folder = new URL('../../tests/commands/', import.meta.url)

/** Which Redis the package says it is. */
const version = await (async () => {
  const db = await open()
  const [, major, minor] = /redis_version:(\d+)\.(\d+)/.exec(db.call('INFO', 'server'))
  db.close()
  return [+major, +minor]
})()

/** What is about files, which a store in JavaScript has none of. */
const ABOUT_FILES = ['SAVE, BGSAVE, LASTSAVE', 'BGREWRITEAOF']

for (const name of readdirSync(folder).filter((name) => name !== 'README.md')) {
  test(`tests/commands/${name}`, async () => {
    const failures = []
    for (const { heading, blocks } of parse(readFileSync(new URL(name, folder), 'utf8'))) {
      if (ABOUT_FILES.includes(heading)) continue
      const meant = blocks.filter(({ attributes }) => isMeant(attributes))
      // Bytes that are no request of words can only come through a socket.
      const end = meant.findIndex(({ steps }) => steps.some(({ raw }) => raw))
      const failure = await run(end < 0 ? meant : meant.slice(0, end))
      if (failure) failures.push(`tests/commands/${name}:${failure.line}: ## ${heading}\n  ${failure.text}`)
    }
    assert.equal(failures.join('\n'), '')
  })
}

function isMeant({ only, since, until }) {
  const isAtLeast = (text) => {
    const [major, minor] = text.split('.').map(Number)
    return version[0] > major || (version[0] === major && version[1] >= minor)
  }
  return only !== 'redis' && (!since || isAtLeast(since)) && (!until || !isAtLeast(until))
}

/** Runs the blocks of a section on an empty store; returns the first thing that is not as written. */
async function run(blocks) {
  let now = 1_700_000_000_000
  const db = await open({ now: () => now })
  const clients = new Map()

  const client = (letter, isResp2) => {
    const name = letter + (isResp2 ? '2' : '3')
    if (!clients.has(name)) {
      const connection = db.connect()
      const inbox = []
      const { bytes, instance } = connection
      const close = instance.owners.get(connection.id).ended
      instance.owners.set(connection.id, {
        received: (read) => inbox.push(...read(true).map(({ values }) => (values[0] === 'monitor' ? values[1] : values))),
        ended: () => {
          inbox.push(CLOSED)
          close()
        },
      })
      if (isResp2) bytes.call('HELLO', '2')
      clients.set(name, { bytes, inbox })
    }
    return clients.get(name)
  }

  for (const { attributes, steps } of blocks) {
    for (const { line, client: letter, words, wait, expected } of steps) {
      if (wait) {
        now += wait
        db.instance.tick(now)
        continue
      }
      const { bytes, inbox } = client(letter, attributes.resp2)
      if (words) {
        now++
        const reply = ask(bytes, words)
        // Messages that a command sends to its own client come before its reply or after it; the package does not tell.
        const isAnswered = reply !== undefined && !(inbox.length > 0 && typeof reply === 'number' && expected[0]?.kind === 'push')
        if (isAnswered && expected.length > 0 && inbox.length > 0 && inbox[0] !== CLOSED && matches(expected[0], inbox[0])) inbox.splice(1, 0, reply)
        else if (isAnswered) inbox.unshift(reply)
      }
      for (const pattern of expected) {
        if (inbox.length > 0 && matches(pattern, inbox[0])) inbox.shift()
        else return { line, text: `${words ? words.join(' ').slice(0, 200) : letter + '<'} gives ${inbox.length ? show(inbox[0]) : 'nothing'}` }
      }
      if (words && expected.length === 0 && inbox.length > 0) return { line, text: `${words.join(' ')} gives ${show(inbox[0])}` }
    }
  }
  for (const [name, { inbox }] of clients) if (inbox.some((it) => it !== CLOSED)) return { line: 0, text: `client ${name} has not read ${show(inbox[0])}` }
  db.close()
}

function show(value) {
  return value instanceof Error ? `! ${value.message}` : inspect(value, { depth: 5 })
}

function ask(bytes, words) {
  try {
    return bytes.call(...words.map((word) => Buffer.from(word, 'latin1')))
  } catch (error) {
    if (error.message === 'keyside: the connection is closed') return CLOSED
    if (error.name !== 'ReplyError') throw error
    return error
  }
}
