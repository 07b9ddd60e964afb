// A consumer of the group `g` of the stream `work`, through ioredis: node consumer.mjs NAME [drop]
//
// It notes each entry in the list `done` as it acknowledges it, and takes over what others left lying for 200 ms. With
// `drop` it takes some entries, says so, and does nothing with them until it is killed.
import { createRequire } from 'node:module';

const { Redis } = createRequire(new URL('../../pkg/package.json', import.meta.url))('ioredis');

const [, , name, drop] = process.argv;
const redis = new Redis(process.env.REDIS_URL);

const read = async (count) => {
  const streams = await redis.xreadgroup('GROUP', 'g', name, 'COUNT', count, 'BLOCK', 100, 'STREAMS', 'work', '>');
  return streams ? streams[0][1] : [];
};

const finish = (entries) =>
  entries.reduce((multi, [id]) => multi.xack('work', 'g', id).rpush('done', `${id} ${name}`), redis.multi()).exec();

if (drop) {
  console.log((await read(20)).length);
  await new Promise(() => {});
}
while (!(await redis.exists('over'))) {
  const entries = await read(5);
  const [, abandoned] = await redis.xautoclaim('work', 'g', name, 200, '0-0', 'COUNT', 5);
  await finish([...entries, ...abandoned]);
}
redis.disconnect();
