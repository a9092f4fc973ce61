// Faults of the machine: nginx, disk, memory, the way to the state directory, databases.
import { appendFileSync, chmodSync, copyFileSync, mkdirSync, mkdtempSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { statePaths } from '../../../../src/config/state-dir.ts';
import { nginxWorkerUser } from '../../../../src/config/worker-user.ts';
import { waitFor } from '../../../env/process.ts';
import { type Fault, type Planting, placesOf, type Room } from '../fault.ts';

const UNTRIED = ['sockets/token'];
const NOT_RUNNING = 'edge/processes';

export const MACHINE: readonly Fault[] = [
  {
    name: 'no nginx',
    fails: ['machine/nginx'],
    says: /nginx is not installed/,
    plant: ({ spare }) => ({ env: { LICTOR_NGINX: join(spare, 'no-such-nginx') } }),
  },
  {
    name: 'an old nginx',
    fails: ['machine/nginx'],
    says: /1\.14\.2/,
    plant: (room) => nginxThat(room, 'echo "nginx version: nginx/1.14.2" >&2'),
  },
  {
    name: 'a program named nginx that is none',
    fails: ['machine/nginx'],
    says: /does not answer like nginx/,
    plant: (room) => nginxThat(room, 'echo hello'),
  },
  {
    name: 'a ledger that somebody keeps locked',
    fails: ['machine/ledger', 'public-url/ready', ...UNTRIED],
    says: /the ledger cannot be written: database is locked/,
    plant: async (room) => {
      const holder = new DatabaseSync(placesOf(room).ledgerFile, { timeout: 5_000 });
      holder.exec('BEGIN IMMEDIATE');
      const state = async (): Promise<string | undefined> => /"status":"([a-z-]+)"/.exec(await (await room.gateway.fetch('/.lictor/ready')).text())?.[1];
      await waitFor(async () => (await state()) === 'degraded', { what: 'the gateway to notice', timeoutMs: 60_000 });
      return {
        undo: async () => {
          holder.exec('ROLLBACK');
          holder.close();
          await waitFor(async () => (await state()) === 'ready', { what: 'the ledger to be written again', timeoutMs: 60_000 });
        },
      };
    },
  },
  {
    name: 'a ledger that is behind its log',
    fails: ['machine/ledger', NOT_RUNNING],
    says: /the ledger is behind: \d+ bytes of the access log are not in it/,
    plant: behind,
  },
  {
    name: 'a ledger that is damaged',
    fails: ['machine/ledger', NOT_RUNNING],
    says: /the ledger cannot be written: file is not a database/,
    plant: (room) => idleWith(room, (stateDir) => writeFileSync(join(stateDir, 'ledger.db'), 'not a database, '.repeat(500))),
  },
  {
    name: 'a store of a newer lictor',
    fails: ['machine/store', ...UNTRIED],
    says: /version 99/,
    plant: (room) => storeOf(room, 99),
  },
  {
    name: 'a store that is damaged',
    fails: ['machine/store', NOT_RUNNING],
    says: /cannot be read: file is not a database/,
    plant: (room) => idleWith(room, (stateDir) => writeFileSync(join(stateDir, 'lictor.db'), 'not a database, '.repeat(500))),
  },
  {
    name: 'a gateway that does not run',
    fails: [NOT_RUNNING],
    says: /does not run with this state directory/,
    plant: (room) => idleWith(room, () => undefined),
  },
  {
    name: 'a broken configuration',
    fails: ['machine/config'],
    says: /lictor\.yaml prefect\.uri/,
    plant: () => ({ config: { prefect: { url: 'nonsense', uri: 1 } } }),
  },
  {
    name: "a file with Prefect's password that is not there",
    fails: ['machine/config'],
    says: /prefect\.auth_string_file: .* does not exist/,
    plant: ({ spare, recorder }) => {
      recorder.answerWith(() => ({ status: 401, body: '{}' }));
      return { config: { prefect: { url: recorder.url, auth_string_file: join(spare, 'nowhere') } } };
    },
  },
];

/** Only root can plant these. */
export const MACHINE_AS_ROOT: readonly Fault[] = [
  {
    name: 'a disk that is almost full',
    fails: ['machine/disk-space'],
    says: /only \d+ MiB free for/,
    plant: ({ gateway, spare }) => {
      const whole = mkdtempSync(join(spare, 'disk-'));
      const { stateDir } = gateway;
      return { mounts: `mount --bind ${stateDir} ${whole}; mount -t tmpfs -o size=90m,mode=0711 tmpfs ${stateDir}; ln -s ${whole}/* ${stateDir}/` };
    },
  },
  {
    name: 'a full tmpfs below the decision cache',
    fails: ['edge/decision-cache'],
    says: /only 0\.0 MiB free for the decision cache/,
    plant: (room) => {
      const { decisionCache } = placesOf(room);
      const { uid, gid } = nginxWorkerUser() ?? { uid: 0, gid: 0 };
      const mount = `mount -t tmpfs -o size=1m,mode=0700,uid=${uid},gid=${gid} tmpfs ${decisionCache}/`;
      return { mounts: `${mount}; head -c 2000000 /dev/zero >${decisionCache}/full 2>/dev/null || true` };
    },
  },
  {
    name: "a parent of the state directory that nginx's workers can no longer enter",
    fails: ['machine/state-dir-parents'],
    says: /nginx loses request bodies above 128 KiB/,
    plant: ({ gateway }) => {
      chmodSync(gateway.stateDir, 0o700);
      return { undo: () => chmodSync(gateway.stateDir, 0o711) };
    },
  },
];

function nginxThat({ spare }: Room, does: string): Planting {
  const file = join(mkdtempSync(join(spare, 'nginx-')), 'nginx');
  writeFileSync(file, `#!/bin/sh\n${does}\n`, { mode: 0o755 });
  return { env: { LICTOR_NGINX: file } };
}

/** The state directory of a gateway that does not run. */
async function idleWith({ spare }: Room, invalidate: (stateDir: string) => void | Promise<void>): Promise<Planting> {
  const stateDir = mkdtempSync(join(spare, 'state-'));
  chmodSync(spare, 0o711);
  chmodSync(stateDir, 0o711);
  await invalidate(stateDir);
  return { stateDir };
}

/** A copy of the ledger, and one of its log that has a line more: the gateway's own log would be written while doctor looks. */
async function behind(room: Room): Promise<Planting> {
  const { ledgerFile, accessLog } = placesOf(room);
  return idleWith(room, (stateDir) => {
    const copies = statePaths(stateDir, join(stateDir, 'run'));
    using original = new DatabaseSync(ledgerFile, { timeout: 5_000 });
    original.prepare('VACUUM INTO ?').run(copies.ledgerFile);
    mkdirSync(dirname(copies.accessLog));
    copyFileSync(accessLog, copies.accessLog);
    appendFileSync(copies.accessLog, '{}\n');
    using copy = new DatabaseSync(copies.ledgerFile);
    const inodeOf = (file: string) => String(statSync(file, { bigint: true }).ino);
    const moved = copy.prepare('UPDATE tails SET inode = ? WHERE inode = ?').run(inodeOf(copies.accessLog), inodeOf(accessLog));
    expect(moved.changes).toBe(1);
    const before = new Date(Date.now() - 60_000);
    utimesSync(copies.accessLog, before, before);
  });
}

function storeOf(room: Room, version: number): Planting {
  const write = (to: number) => {
    using db = new DatabaseSync(placesOf(room).storeFile, { timeout: 5_000 });
    const was = db.prepare('PRAGMA user_version').get()?.['user_version'];
    db.exec(`PRAGMA user_version = ${to}`);
    return Number(was);
  };
  const former = write(version);
  return { undo: () => void write(former) };
}
