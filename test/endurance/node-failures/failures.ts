// The rows of the matrix: how each failure begins and ends.
import { setTimeout as wait } from 'node:timers/promises';
import { signalProcess } from '../../env/process.ts';
import { READER } from './room.ts';
import type { Failure } from './row.ts';

export const FAILURES: readonly Failure[] = [
  {
    name: 'a node is killed, for 10 s',
    seconds: 10,
    begin: ({ cluster }) => cluster.node('two').killAll(),
    end: ({ cluster }) => cluster.node('two').up(),
  },
  {
    name: 'the nginx of a node is killed',
    seconds: 0,
    async begin({ cluster }) {
      const { nginx, workers } = cluster.node('two').pids();
      for (const pid of [nginx, ...workers]) signalProcess(pid, 'SIGKILL');
    },
  },
  {
    name: 'the control plane of a node hangs',
    seconds: 0,
    begin: async ({ cluster }) => void signalProcess(cluster.node('two').pids().control, 'SIGSTOP'),
  },
  {
    name: 'Postgres is away for 60 s',
    seconds: 60,
    begin: ({ store }) => store.end(),
    end: ({ store }) => store.begin(),
  },
  {
    name: 'the store answers 2 s late, for 60 s',
    seconds: 60,
    begin: async ({ links }) => links.store.delay(2_000),
    end: async ({ links }) => links.store.delay(0),
  },
  {
    name: 'the connections that hear of changes are cut for 60 s',
    seconds: 60,
    begin: async ({ links }) => links.listen.cut(true),
    end: async ({ links }) => links.listen.cut(false),
  },
  {
    name: 'a Prefect server is killed, for 20 s',
    seconds: 20,
    begin: ({ servers }) => servers.kill(0),
    end: ({ servers }) => servers.start(0),
  },
  {
    name: 'Redis is away for 20 s',
    seconds: 20,
    begin: ({ servers }) => servers.redis.end(),
    end: ({ servers }) => servers.redis.begin(),
  },
  {
    name: 'the clock of a node is 10 minutes ahead for 60 s',
    seconds: 60,
    begin: async ({ clock }) => clock.set(600),
    end: async ({ clock }) => clock.set(0),
  },
  {
    name: 'the disk of a node is full for 20 s',
    seconds: 20,
    begin: ({ disk }) => disk.fill(),
    end: ({ disk }) => disk.free(),
  },
  {
    name: 'the primary of Postgres is killed, and the standby is promoted after 5 s',
    seconds: 0,
    async begin({ store, standby }) {
      await store.kill();
      await wait(5_000);
      await standby.promote();
    },
  },
  {
    name: 'the identity provider is away for 10 minutes',
    seconds: 600,
    async begin({ issuer, tokens }) {
      await issuer.end();
      // No node has seen this one.
      tokens.readers.push(await issuer.token({ ...READER, jti: 'signed before, first used now' }));
    },
    end: ({ issuer }) => issuer.begin(),
  },
];
