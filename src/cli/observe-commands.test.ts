import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { docsBlock } from '../../test/env/docs.ts';
import { appendRecord } from '../record/ledger/append-record.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { record } from '../record/timeline/timeline.fixture.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';

const PAGE = 'how-to/observe.md';
let state: ReturnType<typeof tempState>;
let root = '';
const storeFile = () => join(root, 'lictor.db');
beforeEach(async () => {
  state = tempState();
  root = state.paths.root;
  configure('observe');
  await (await openStore({ at: storeFile(), clock: Date.now })).close();
});
afterEach(() => state.remove());

function configure(mode: string, page?: string) {
  const roles = 'roles: [{ role: operator, members: ["group:team-a@corp"] }, { role: viewer, members: ["group:team-b@corp", "group:team-b@other"] }]';
  const provider = (id: string) => `{ id: ${id}, type: oidc, issuer: "https://${id}.example.com", client_id: lictor, client_secret: "\${SECRET}" }`;
  const providers = `identity_providers: [${provider('corp')}, ${provider('other')}]`;
  writeFileSync(
    join(root, 'lictor.yaml'),
    `public_url: http://localhost:8200\n${providers}\n${page ?? `prefect: { url: "http://127.0.0.1:9" }\nmode: ${mode}\n${roles}\n`}`,
  );
}

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const env = { SECRET: 'a-secret-of-the-provider' };
  const status = await main({ args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args], out, err, env, cwd: root, pause: async () => undefined });
  const text = (stream: PassThrough) => String(stream.read() ?? '');
  return { status, out: text(out), err: text(err) };
}

async function enforced(): Promise<readonly string[]> {
  const store = await openStore({ at: storeFile(), clock: Date.now });
  const rows = await store.observations.enforced();
  await store.close();
  return rows.map(({ subject }) => subject);
}

describe('lictor enforce', () => {
  it.each([
    ['team-a', 'group:team-a@corp'],
    ['operator', 'operator'],
    ['user:alice@corp', 'user:alice@corp'],
    ['token:etl-worker', 'token:etl-worker'],
    ['shared-password', 'shared-password'],
  ])('%s: enforces %s, until it is undone', async (who, subject) => {
    expect(await run('enforce', who)).toMatchObject({ status: 0, out: expect.stringContaining(`${subject} is enforced now`) });
    expect(await enforced()).toEqual([subject]);
    expect(await run('enforce', who, '--undo')).toMatchObject({ status: 0, out: expect.stringContaining(`${subject} is observed again`) });
    expect(await enforced()).toEqual([]);
    expect((await run('audit', '--action', 'observe.*', '--json')).out.trim().split('\n')).toHaveLength(2);
  });

  it.each([
    ['team-x', 'no role'],
    ['team-b', 'group:team-b@corp or group:team-b@other'],
    ['user:alice@nowhere', 'no identity provider'],
  ])('twin: %s is refused, and nothing changes', async (who, words) => {
    expect(await run('enforce', who)).toMatchObject({ status: 2, err: expect.stringContaining(words) });
    expect(await enforced()).toEqual([]);
  });

  it('says that everything is enforced already', async () => {
    configure('enforce');
    expect(await run('enforce', 'team-a')).toMatchObject({ status: 0, err: expect.stringContaining('enforced already') });
  });
});

it('the page observe.md has a configuration and commands that are valid as they stand', async () => {
  const [mode, roles, groups] = ['prefect:', 'roles:', 'mode: observe\nobserve:'].map((beginning) => docsBlock(PAGE, beginning));
  configure('observe', `${mode}${roles}${groups?.replace('mode: observe\n', '')}`);
  writeFileSync(join(root, 'prefect-auth'), 'prefect:a-secret-of-prefect\n', { mode: 0o600 });
  appendRecord(state.paths, { ...record(1), time: new Date().toISOString() });
  const lines = [docsBlock(PAGE, 'lictor observe report'), docsBlock(PAGE, 'lictor enforce team-a')].flatMap((text) => text.trim().split('\n'));
  for (const line of lines) {
    const [, ...words] = line.replace(/ +#.*/, '').split(' ');
    expect(await run(...words), line).toMatchObject({ status: 0 });
  }
  expect(await enforced()).toEqual(['group:team-a@corp', 'operator', 'token:etl-worker', 'user:alice@corp', 'shared-password']);
});

describe('lictor observe report', () => {
  it('prints a line for each would-be denial, and what to do before enforcement', async () => {
    const denied = { principal: 'shared-password:10.0.0.7', decision: 'deny', reason: 'shared-password', mode: 'observe', action: 'worker.poll' } as const;
    appendRecord(state.paths, { ...record(1, denied), time: new Date().toISOString(), resource_type: 'WorkPool', resource_id: 'p', source_ip: '10.0.0.7' });
    const { out } = await run('observe', 'report', '--json');
    expect(JSON.parse(out)).toEqual({
      ...{ principal: 'shared-password:10.0.0.7', action: 'worker.poll', resource: 'WorkPool:p', count: 1, would_be: 'shared-password' },
    });
    const text = await run('observe', 'report', '--since', '24h');
    expect(text).toMatchObject({ status: 0 });
    expect(text.out).toContain('lictor token create NAME --role worker');
    expect(text.out).toContain('A denial that you intend stays: enforce anyway.');
    expect(text.out).toMatch(/shared-password +1 +1 +no\nMembers without a request in this time are not listed\./);
  });

  it('says that nothing was observed', async () => {
    appendRecord(state.paths, { ...record(1), time: new Date().toISOString() });
    expect((await run('observe', 'report')).out).toContain('No request was observed');
  });
});
