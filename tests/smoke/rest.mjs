// What an application does through @upstash/redis, over the server's own HTTP port: node rest.mjs
//
// The server is found where the client looks for it, in UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { Redis } = createRequire(new URL('../../pkg/package.json', import.meta.url))('@upstash/redis');

const redis = Redis.fromEnv();

assert.equal(await redis.set('user', { name: 'Ada', mark: 'ü' }, { ex: 60 }), 'OK');
assert.deepEqual(await redis.get('user'), { name: 'Ada', mark: 'ü' });
assert.equal(await redis.hset('h', { a: 1, b: 'two' }), 2);
assert.deepEqual(await redis.hgetall('h'), { a: 1, b: 'two' });
assert.equal(await redis.zadd('z', { score: 1.5, member: 'x' }, { score: 2, member: 'y' }), 2);
assert.deepEqual(await redis.zrange('z', 0, -1, { withScores: true }), ['x', 1.5, 'y', 2]);
assert.deepEqual(await redis.pipeline().get('user').incr('n').exec(), [{ name: 'Ada', mark: 'ü' }, 1]);
assert.deepEqual(await redis.multi().incr('n').get('nothing').exec(), [2, null]);
assert.deepEqual((await Promise.all([redis.incr('n'), redis.exists('n', 'nothing')])).toSorted(), [1, 3]);
assert.equal(await redis.eval('return ARGV[1] .. KEYS[1]', ['k'], ['v']), 'vk');
const [cursor, keys] = await redis.scan(0);
assert.deepEqual([cursor, keys.toSorted()], ['0', ['h', 'n', 'user', 'z']]);
await assert.rejects(redis.incr('user'), /not an integer/);
const big = 'v'.repeat(5 << 20);
assert.equal(await redis.set('big', big), 'OK');
assert.equal((await redis.get('big')).length, big.length);
const stranger = new Redis({ url: process.env.UPSTASH_REDIS_REST_URL, token: 'wrong', retry: false });
await assert.rejects(stranger.get('n'), /WRONGPASS/);

const subscription = redis.subscribe('chat');
const heard = (kind) => new Promise((resolve) => subscription.on(kind, resolve));
const message = heard('message');
await heard('subscribe');
assert.equal(await redis.publish('chat', { hi: 1 }), 1);
assert.deepEqual(await message, { channel: 'chat', message: { hi: 1 } });
await subscription.unsubscribe();
