// `lictor upgrade --check` with a healthy installation, and with one planted fault each.
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { docsBlock } from '../../test/env/docs.ts';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import type { Finding } from '../operations/doctor/finding.ts';
import { openStore } from '../store/store.ts';
import { AUTH_STRING, createWorld, prefectServer, type World } from './init.fixture.ts';
import { main } from './main.ts';

const POLICY = '@id("freeze")\n@description("No changes today")\nforbid (principal, action in Action::"configure", resource);\n';
let world: World;
let prefect: string;
let root: string;
let state: string;

beforeAll(async () => {
  world = createWorld();
  prefect = await world.open(prefectServer());
});
afterAll(() => world.close());
beforeEach(async () => {
  root = makeMemoryDir('lictor-upgrade-');
  state = join(root, 'state');
  mkdirSync(join(root, 'policies'));
  writeFileSync(join(root, 'policies/freeze.cedar'), POLICY);
  writeFileSync(join(root, 'auth'), `${AUTH_STRING}\n`, { mode: 0o600 });
  configure();
  expect((await lictor('token', 'create', 'etl', '--role', 'worker')).status).toBe(0);
});
afterEach(() => {
  removeRuntimeDir(statePaths(state, join(state, 'run')));
  rmSync(root, { recursive: true });
});

function configure(more = '', { url = prefect, member = 'token:etl' } = {}): void {
  const lines = ['public_url: http://localhost:8200', `prefect: { url: "${url}", auth_string_file: auth }`, 'policies: policies'];
  writeFileSync(join(root, 'lictor.yaml'), [...lines, `roles: [{ role: operator, members: ["${member}"] }]`, more].join('\n'));
}

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  // With LICTOR_NGINX, apt is not asked.
  const env = { PATH: process.env['PATH'], LICTOR_NGINX: 'nginx', SSL_CERT_FILE: '/nowhere.pem' };
  const status = await main({ args: ['--state-dir', state, '-c', join(root, 'lictor.yaml'), ...args], out, err, env, cwd: root });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function upgradeCheck() {
  const { status, out } = await lictor('upgrade', '--check', '--json');
  const { ok, findings }: { readonly ok: boolean; readonly findings: readonly Finding[] } = JSON.parse(out);
  return { status, ok, problems: findings.filter((finding) => finding.status !== 'ok') };
}

const store = (sql: string): void => {
  using database = new DatabaseSync(statePaths(state, state).storeFile);
  database.exec(sql);
};

describe('lictor upgrade --check', () => {
  it('accepts a healthy installation, and changes nothing in it', async () => {
    const before = fingerprint();
    const [, command = ''] = docsBlock('how-to/upgrading.md', 'git -C').trim().split('\n');
    const [, ...words] = command.split(' -c ')[0]?.split(' ') ?? [];
    const { status, out } = await lictor(...words);
    expect([status, out]).toEqual([0, expect.stringMatching(/ok, \d+ hints?, 0 FAIL; lictor \d+\.\d+\.\d+\n$/)]);
    expect(out).toMatch(/state directory has version 1.*\n.*store has version 1[\s\S]*every role and scope.*\n[\s\S]*Prefect 3\.9\.1 is in the tested range/);
    expect(fingerprint()).toEqual(before);
  });

  /** The files of the state directory, without those that SQLite has beside a database that is open. */
  function fingerprint(): readonly string[] {
    const files = globSync('**', { cwd: state }).filter((file) => statSync(join(state, file)).isFile() && !/-(?:wal|shm)$/.test(file));
    return files.sort().map(
      (file) =>
        `${file} ${createHash('sha256')
          .update(readFileSync(join(state, file)))
          .digest('hex')}`,
    );
  }

  it('is a usage error without --check', async () => {
    const { status, err } = await lictor('upgrade');
    expect([status, err]).toEqual([2, expect.stringContaining('Write lictor upgrade --check')]);
  });

  interface Planted {
    readonly name: string;
    readonly plant: () => void | Promise<void>;
    readonly faults: readonly (readonly [severity: 'fail' | 'warn', says: RegExp, remedy: RegExp])[];
  }

  it.each<Planted>([
    {
      name: 'keys and values that this version does not have',
      plant: () => configure('store_listen: mysql://x/y\nmode: watch'),
      faults: [
        ['fail', /lictor\.yaml:5 store_listen: is no address of a Postgres database/, /postgres:\/\/USER@HOST/],
        ['fail', /lictor\.yaml:6 mode: must be one of/, /Take one of/],
      ],
    },
    {
      name: 'a newer state directory and store',
      plant: plantNewer,
      faults: [
        ['fail', /state directory has version 7.* up to 1/, /restore the copy/],
        ['fail', /the store has version 7/, /newer Lictor/],
      ],
    },
    {
      name: 'a store that is none',
      plant: () => writeFileSync(statePaths(state, state).storeFile, 'x'),
      faults: [['fail', /the store .* cannot be read/, /last backup/]],
    },
    {
      name: 'a token with a former role and scope, and a role for a token that is gone',
      plant: plantFormer,
      faults: [
        ['fail', /token etl has roles that do not exist: baker/, /token revoke etl/],
        ['fail', /token etl has a scope with keys/, /scopes\.md/],
        ['warn', /roles gives operator to token:old/, /token create old/],
      ],
    },
    {
      name: 'policies of the files and of the store that are invalid now',
      plant: putInvalid,
      faults: [
        ['fail', /policies\/freeze\.cedar:3/, /./],
        ['fail', /policies in force: freeze\.cedar:3/, /lictor policy apply/],
      ],
    },
    { name: 'an auth string that is gone', plant: () => rmSync(join(root, 'auth')), faults: [['fail', /auth_string_file/, /./]] },
  ])('names $name, with the remedy', async ({ plant, faults }) => {
    await plant();
    const { status, ok, problems } = await upgradeCheck();
    for (const [severity, says, remedy] of faults) {
      const found = problems.find(({ message }) => says.test(message));
      expect(found, JSON.stringify(problems)).toMatchObject({ status: severity, remedy: expect.stringMatching(remedy) });
    }
    expect([status, ok]).toEqual(faults.some(([severity]) => severity === 'fail') ? [1, false] : [0, true]);
    expect(JSON.stringify(problems)).not.toContain(AUTH_STRING);
  });

  function plantNewer(): void {
    writeFileSync(join(state, 'version'), '7\n');
    store('PRAGMA user_version = 7');
  }

  function plantFormer(): void {
    store(`UPDATE tokens SET roles = '["baker"]', scope = '{"teams":["a"]}'`);
    configure('', { member: 'token:old' });
  }

  async function putInvalid(): Promise<void> {
    writeFileSync(join(root, 'policies/freeze.cedar'), POLICY.replace('configure', 'bake'));
    const opened = await openStore({ at: statePaths(state, state).storeFile, clock: systemClock });
    await opened.policySets.put({ revision: 1, files: { 'freeze.cedar': POLICY.replace('configure', 'bake') }, by: 'local:root', why: '' });
    await opened.close();
  }
});
