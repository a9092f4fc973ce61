// One SQLite file of several processes at once, as the gateway and its commands open it.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../../src/config/memory-dir.fixture.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { openStore } from '../../src/store/store.ts';

const STORE = JSON.stringify(new URL('../../src/store/store.ts', import.meta.url).href);

let dir = '';
let file = '';
beforeEach(() => {
  dir = makeMemoryDir('lictor-store-');
  file = join(dir, 'lictor.db');
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('the SQLite file', () => {
  it('may be new to many processes at once: one switches its mode, the others wait', async () => {
    const script = join(dir, 'opener.mjs');
    writeFileSync(
      script,
      `import { openStore } from ${STORE};
       process.on('message', async (file) => {
         const store = await openStore({ at: file, clock: () => Date.now() }).catch((error) => error);
         if (store instanceof Error) return process.send(String(store.cause));
         await store.close();
         process.send('opened');
       });
       process.send('ready');`,
    );
    const openers = Array.from({ length: 5 }, () => fork(script));
    await Promise.all(openers.map((opener) => once(opener, 'message')));
    for (let round = 0; round < 20; round += 1) {
      const answers = openers.map((opener) => once(opener, 'message').then(([answer]) => String(answer)));
      for (const opener of openers) opener.send(join(dir, `new-${round}.db`));
      expect(await Promise.all(answers)).toEqual(openers.map(() => 'opened'));
    }
    for (const opener of openers) opener.disconnect();
  });

  it('takes the writes of two processes at once, from a file that neither has made yet', async () => {
    const script = join(dir, 'writer.mjs');
    const count = 150;
    writeFileSync(
      script,
      `import { openStore } from ${STORE};
       const [file, who] = process.argv.slice(2);
       process.send('ready');
       process.once('message', async () => {
         const store = await openStore({ at: file, clock: () => Date.now() });
         for (let i = 0; i < ${count}; i += 1) {
           await store.tokens.create({ id: who + i, name: who + i, roles: [], cidrs: [], lifetimeMs: null, hash: who + i });
           await store.tokens.revoke(who + i);
         }
         await store.close();
         process.disconnect();
       });`,
    );
    const writers = ['a', 'b'].map((who) => fork(script, [file, who]));
    await Promise.all(writers.map((writer) => once(writer, 'message')));
    for (const writer of writers) writer.send('go');
    expect(await Promise.all(writers.map(exitCode))).toEqual([0, 0]);
    const store = await openStore({ at: file, clock: systemClock });
    expect(await store.changeNumber()).toBe(1 + 2 * count);
    expect((await store.tokens.list()).filter((token) => token.revokedMs !== null)).toHaveLength(2 * count);
    await store.close();
  });
});

async function exitCode(child: ChildProcess): Promise<unknown> {
  const [code] = await once(child, 'exit');
  return code;
}
