// For image.test.ts: `node asks.ts URL TOKEN FILE` asks until FILE exists, at least once, and prints how often each status came. It runs in the network of Docker.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const [url = '', token = '', file = ''] = process.argv.slice(2);
const counts: Record<string, number> = {};
do {
  // The load balancer repeats a GET whose node ended. Any other request ends with its connection, and stock clients repeat it.
  const status = await fetch(`${url}/api/admin/version`, {
    headers: { authorization: `Bearer ${token}` },
  }).then(
    (answer) => String(answer.status),
    (error) => String(error.cause ?? error),
  );
  counts[status] = (counts[status] ?? 0) + 1;
  await delay(50);
} while (!existsSync(file));
console.log(JSON.stringify(counts));
