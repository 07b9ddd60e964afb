// What needs no page: lines, replies, history, the prompt, completion.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { argumentAt, commandOf, commandTable, completions } from '../commands.js'
import { History } from '../history.js'
import { split } from '../line.js'
import { pieces, readAll } from '../reply.js'
import { Session } from '../session.js'

const bytes = (text) => Uint8Array.from(Buffer.from(text, 'latin1'))
const words = (line) => split(line)?.map((word) => Buffer.from(word).toString('latin1'))

test('a line is words between blanks', () => {
  assert.deepEqual(words(''), [])
  assert.deepEqual(words('  \t '), [])
  assert.deepEqual(words('  SET  key\tvalue '), ['SET', 'key', 'value'])
  assert.deepEqual(words('a\u00a0b'), ['a\xc2\xa0b'], 'a blank that is none to Redis')
  assert.deepEqual(words('é€😀'), [Buffer.from('é€😀').toString('latin1')])
})

test('double quotes know escapes', () => {
  assert.deepEqual(words('SET k "a b"'), ['SET', 'k', 'a b'])
  assert.deepEqual(words('""'), [''])
  assert.deepEqual(words(String.raw`"\n\r\t\b\a\"\\\q\x00\xfF\xg"`), ['\n\r\t\b\x07"\\q\0\xffxg'])
  assert.deepEqual(words(String.raw`"\é"`), ['\xc3\xa9'])
  assert.deepEqual(words('pre"a b" c'), ['prea b', 'c'])
})

test('single quotes know one escape', () => {
  assert.deepEqual(words(String.raw`'a "b" \n \' c'`), [String.raw`a "b" \n ' c`])
  assert.deepEqual(words(String.raw`'\x41'`), [String.raw`\x41`])
  assert.equal(words(String.raw`'a\'`), undefined)
})

test('quotes that are not balanced are no line', () => {
  for (const line of ['"', "'", 'SET "a', "SET 'a", '"a"b', "'a'b", '"a""b"', String.raw`"a\"`]) assert.equal(split(line), null, line)
})

test('a long line takes no long time', () => {
  const long = 'é'.repeat(300_000)
  assert.equal(split(`SET k "${long}"`)[2].length, 600_000)
  assert.equal(split(`SET k ${long}`)[2].length, 600_000)
  assert.equal(split(`SET k "${long}`), null)
})

const shown = (resp) => readAll(bytes(resp)).map((reply) => [...pieces(reply, '')].map((piece) => piece.words).join(''))

test('replies look like what they are', () => {
  const replies = ['+OK\r\n', '-ERR no\r\n', ':-5\r\n', ',1.5\r\n', '(12345678901234567890\r\n', '#t\r\n', '#f\r\n', '_\r\n', '$-1\r\n', '*-1\r\n', '$2\r\nhi\r\n', '=8\r\ntxt:a\r\nb\r\n']
  assert.deepEqual(shown(replies.join('')), ['OK', '(error) ERR no', '(integer) -5', '(double) 1.5', '(big number) 12345678901234567890', '(true)', '(false)', '(nil)', '(nil)', '(nil)', '"hi"', 'a\r\nb'])
})

test('texts can be typed again', () => {
  for (const text of ['', 'a b', 'a"b\\c', '\n\r\t\b\x07\0\x1b\x7f', "it's", '\x80\xff"\n', 'Gr\xc3\xbc\xc3\x9fe', '\xc2\x85', '\xef\xbb\xbfx']) {
    const [line] = shown(`$${text.length}\r\n${text}\r\n`)
    assert.deepEqual(words(line), [text], line)
  }
})

test('lists, sets and maps are numbered and nested', () => {
  assert.deepEqual(shown('*0\r\n~0\r\n%0\r\n>0\r\n'), ['(empty array)', '(empty set)', '(empty hash)', '(empty array)'])
  assert.deepEqual(shown('*2\r\n:1\r\n*2\r\n+a\r\n*1\r\n+b\r\n'), ['1) (integer) 1\n2) 1) a\n   2) 1) b'])
  assert.deepEqual(shown('~1\r\n$1\r\nx\r\n'), ['1~ "x"'])
  assert.deepEqual(shown('%2\r\n+k\r\n:1\r\n+l\r\n*2\r\n:2\r\n:3\r\n'), ['1# k => (integer) 1\n2# l =>\n   1) (integer) 2\n   2) (integer) 3'])
  const [ten] = shown(`*10\r\n${':0\r\n'.repeat(10)}`)
  assert.match(ten, /^ 1\) .*\n 2\) [^]*\n10\) /)
})

test('a long text is cut between characters', () => {
  const [text] = shown(`$40001\r\nx${'\xc3\xa9'.repeat(20_000)}\r\n`)
  assert.match(text, /^"xé+" … \(40,001 bytes\)$/)
  assert.ok(text.length < 10_100)
})

test('history goes back and forth, and keeps the line being typed', () => {
  const history = new History()
  assert.equal(history.older('x'), 'x')
  for (const line of ['one', 'two', 'two', ' ']) history.add(line)
  assert.equal(history.older('draft'), 'two')
  assert.equal(history.older('two'), 'one')
  assert.equal(history.older('one'), 'one')
  assert.equal(history.newer('one'), 'two')
  assert.equal(history.newer('two'), 'draft')
  assert.equal(history.newer('draft'), 'draft')
})

/** The prompt after each of these requests and replies. */
function prompts(...exchanges) {
  const session = new Session()
  return exchanges.map(([line, resp]) => {
    for (const reply of readAll(bytes(resp))) session.follow(split(line), reply)
    return session.prompt
  })
}

test('the prompt shows the database', () => {
  const exchanges = [['PING', '+PONG\r\n'], ['select 3', '+OK\r\n'], ['SELECT 99', '-ERR no\r\n'], ['RESET', '+RESET\r\n']]
  assert.deepEqual(prompts(...exchanges), ['keyside>', 'keyside[3]>', 'keyside[3]>', 'keyside>'])
})

test('the prompt shows a transaction, whose SELECT counts when it is run', () => {
  const queue = [['MULTI', '+OK\r\n'], ['SELECT 3', '+QUEUED\r\n']]
  const last = (line, resp) => prompts(...queue, [line, resp]).at(-1)
  assert.deepEqual(prompts(...queue), ['keyside(TX)>', 'keyside(TX)>'])
  assert.equal(last('EXEC', '*1\r\n+OK\r\n'), 'keyside[3]>')
  assert.equal(last('EXEC', '_\r\n'), 'keyside>', 'a watched key changed')
  assert.equal(last('EXEC', '-EXECABORT no\r\n'), 'keyside>')
  assert.equal(last('EXEC 1', '-ERR wrong number\r\n'), 'keyside(TX)>')
  assert.equal(last('MULTI', '-ERR nested\r\n'), 'keyside(TX)>')
  assert.equal(last('DISCARD', '+OK\r\n'), 'keyside>')
  assert.equal(last('RESET', '+RESET\r\n'), 'keyside>')
})

const optional = (argument) => ({ ...argument, flags: ['optional'] })
const token = (name) => ({ name, type: 'pure-token', token: name.toUpperCase() })
const key = { name: 'key', type: 'key' }
const table = commandTable({
  call: () => ({
    set: {
      summary: 'Sets.',
      arguments: [key, { name: 'value', type: 'string' }, optional({ type: 'oneof', arguments: [token('nx'), token('xx')] }), optional({ name: 'seconds', type: 'integer', token: 'EX' })],
    },
    mset: { arguments: [{ type: 'block', flags: ['multiple'], arguments: [key, { name: 'value', type: 'string' }] }] },
    setex: { arguments: [key] },
    config: { summary: 'Configures.', subcommands: { 'config|get': { arguments: [{ name: 'pattern', type: 'pattern', flags: ['multiple'] }] }, 'config|set': {} } },
  }),
})
const offered = (line) => completions(table, line).map((it) => it.line)

test('the table has every command with its syntax', () => {
  assert.deepEqual([...table.keys()], ['CONFIG', 'CONFIG GET', 'CONFIG SET', 'MSET', 'SET', 'SETEX'])
  assert.equal(table.get('SET').syntax.join(' '), 'key value [NX | XX] [EX seconds]')
  assert.equal(table.get('MSET').syntax.join(' '), 'key value [key value …]')
  assert.equal(commandOf(table, ' config  get x').name, 'CONFIG GET')
  assert.equal(commandOf(table, 'config').name, 'CONFIG')
  assert.equal(commandOf(table, 'nothing'), undefined)
  assert.equal(commandOf(table, ''), undefined)
})

test('completion offers names, then subcommands, then options', () => {
  assert.deepEqual(offered(''), [])
  assert.deepEqual(offered('s'), ['SET ', 'SETEX '])
  assert.deepEqual(offered('co'), ['CONFIG '])
  assert.deepEqual(offered('config '), ['CONFIG GET ', 'CONFIG SET '])
  assert.deepEqual(offered('config g'), ['CONFIG GET '])
  assert.deepEqual(offered('set n'), [], 'a key may be called so')
  assert.deepEqual(offered('set k v '), [])
  assert.deepEqual(offered('set k v e'), ['set k v EX '])
  assert.deepEqual(offered('set k v EX 10 n'), ['set k v EX 10 NX '])
  assert.deepEqual(offered('set k v NX n'), [])
  assert.deepEqual(offered('nothing n'), [])
})

test('the argument being typed is known where it is certain', () => {
  const at = (line) => argumentAt(commandOf(table, line), line)
  assert.deepEqual(['set', 'set ', 'set k', 'set k v', 'set k v x'].map(at), [-1, 0, 0, 1, -1])
  assert.deepEqual(['mset k', 'mset k v k', 'config get a b'].map(at), [0, 0, 0])
})
