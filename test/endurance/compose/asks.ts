// For image.test.ts: `node asks.ts URL TOKEN FILE` asks until FILE exists, at least once, and prints how often each status came. It runs in the network of Docker.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const [url = '', token = '', file = ''] = process.argv.slice(2);
const counts: Record<string, number> = {};
do {
  const status = await fetch(`${url}/api/flows/filter`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: '{"limit":1}',
  }).then(
    (answer) => String(answer.status),
    (error) => String(error.cause ?? error),
  );
  counts[status] = (counts[status] ?? 0) + 1;
  await delay(50);
} while (!existsSync(file));
console.log(JSON.stringify(counts));
