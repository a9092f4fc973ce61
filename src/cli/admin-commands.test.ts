// lictor token and lictor account, directly on the store file.
import { appendFileSync, chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { steadyClock, systemClock } from '../contract/clock.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { NOWHERE } from '../contract/scope.ts';
import { createPasswords } from '../identity/authn/accounts/password.ts';
import { createAuthenticator } from '../identity/authn/authenticator.ts';
import { anEdgeInput } from '../identity/authn/inputs.fixture.ts';
import { openLedgerReader } from '../record/ledger/query.ts';
import { openStore, type Store } from '../store/store.ts';
import { register as registerAccount } from './account.ts';
import { createContext } from './context.ts';
import { main } from './main.ts';

let root = '';
beforeEach(async () => {
  root = makeMemoryDir('lictor-admin-');
  await inStore(async () => undefined);
  writeFileSync(
    join(root, 'lictor.yaml'),
    'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\nidentity_providers: [{ id: local, type: accounts }]\n',
  );
});
afterEach(() => {
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({
    args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args],
    out,
    err,
    env: {},
    cwd: root,
    pause: async () => undefined,
  });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function json(...args: string[]) {
  const { status, out, err } = await lictor(...args, '--json');
  expect([status, err]).toEqual([0, '']);
  return JSON.parse(out);
}

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: systemClock });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

function ask(secret: string, address = '192.0.2.1') {
  return inStore(async (store) => {
    const authenticator = createAuthenticator({
      store,
      config: { identityProviders: [], roles: [], agents: [], sessions: { idleSeconds: 1, absoluteSeconds: 1 } },
      clock: systemClock,
      steady: steadyClock,
    });
    const answer = await authenticator.authenticate(anEdgeInput({ authorization: `Bearer ${secret}`, address }));
    await authenticator.idle();
    return answer.ok ? answer.principal : answer.reason;
  });
}

async function actions(): Promise<unknown[]> {
  const reader = openLedgerReader(join(root, 'ledger.db'));
  const found = [];
  for await (const { action, principal, resource_id } of reader.audit({})) found.push([action, resource_id, principal?.split(':')[0]]);
  reader.close();
  return found;
}

/** The granted rights in each record. */
async function grants(): Promise<readonly LedgerRecord['grants'][]> {
  const reader = openLedgerReader(join(root, 'ledger.db'));
  const found: LedgerRecord['grants'][] = [];
  for await (const record of reader.audit({})) found.push(record.grants);
  reader.close();
  return found;
}

describe('the grants of a change', () => {
  const TOKEN = { members: ['token:etl'], networks: ['10.0.0.0/8'], scope: 'tags=team-a' };

  it('are in its record: a token with its roles, scope, networks and end, from lictor.yaml too, and a rotation with the new end', async () => {
    writeFileSync(
      join(root, 'lictor.yaml'),
      'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\nroles: [{ role: auditor, members: ["token:etl"] }]\n',
    );
    await json('token', 'create', 'etl', '--role', 'worker', '--scope', 'tag=team-a', '--cidr', '10.0.0.0/8', '--expires', '1h');
    await json('token', 'rotate', 'etl', '--overlap', '0s');
    await lictor('token', 'revoke', 'etl');
    const [created, rotated, revoked] = await grants();
    expect(created).toEqual([
      { ...TOKEN, role: 'auditor', scope: null, rules: ['lictor.yaml roles[0]: token:etl'], expires_at: expect.any(String) },
      { ...TOKEN, role: 'worker', rules: ['token etl'], expires_at: expect.any(String) },
    ]);
    expect(Math.abs(Date.parse(String(created?.[1]?.expires_at)) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(rotated).toMatchObject(created?.map(({ expires_at: _end, ...same }) => same) ?? []);
    expect(String(rotated?.[1]?.expires_at) >= String(created?.[1]?.expires_at)).toBe(true);
    expect(revoked).toBeNull();
  });

  it('are in its record: an account, one of break glass with its end; a password gives nothing', async () => {
    await json('account', 'add', 'bob', '--role', 'operator', '--scope', 'tag=team-a');
    await json('account', 'passwd', 'bob');
    const glass = await json('account', 'add', 'emma', '--role', 'admin', '--for', '1h');
    expect(await grants()).toEqual([
      [{ expires_at: null, members: ['bob@local'], networks: [], role: 'operator', rules: ['account bob'], scope: 'tags=team-a' }],
      null,
      [{ expires_at: glass.expires_at, members: ['emma@local'], networks: [], role: 'admin', rules: ['account emma'], scope: null }],
    ]);
  });
});

describe('the person behind a user of the operating system', () => {
  async function recorded(env: Record<string, string>) {
    const out = new PassThrough();
    await main({ args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), 'token', 'create', 'etl', '--role', 'worker'], out, err: out, env, cwd: root });
    const reader = openLedgerReader(join(root, 'ledger.db'));
    const found: LedgerRecord[] = [];
    for await (const record of reader.audit({ action: 'token.create' })) found.push(record);
    reader.close();
    return found.map(({ principal, on_behalf_of: behind }) => ({ principal, behind }));
  }
  const principal = `local:${userInfo().username}`;

  it('is in the record as asserted, by sudo and by ssh, and no part of the principal', async () => {
    expect(await recorded({ SUDO_USER: 'alice', SSH_CONNECTION: '192.0.2.7 50000 192.0.2.1 22' })).toEqual([
      { principal, behind: ['asserted:alice', 'asserted:ssh 192.0.2.7'] },
    ]);
    expect((await lictor('audit', '-n', '1')).out).toContain('etl (asserted: alice, ssh 192.0.2.7)');
  });

  it('is none where the environment names none, or the same user', async () => {
    expect(await recorded({ SUDO_USER: userInfo().username })).toEqual([{ principal, behind: [] }]);
    expect((await lictor('audit', '-n', '1')).out).not.toContain('asserted');
  });

  it('cannot write more than a name: control characters are shown, and a long text is cut', async () => {
    const [one] = await recorded({ SUDO_USER: `a\u001b[2J${'x'.repeat(300)}` });
    expect(one?.behind[0]).toMatch(/^asserted:a\P{Cc}{1,127}$/u);
  });
});

describe('lictor token', () => {
  it('create makes a token that works, with its roles, networks and expiry', async () => {
    const made = await json('token', 'create', 'etl', '--role', 'worker', '--role', 'viewer', '--cidr', '10.0.0.0/8', '--expires', '90d');
    expect(made).toMatchObject({
      name: 'etl',
      role: 'worker,viewer',
      roles: ['worker', 'viewer'],
      secret: expect.stringMatching(/^lct_/),
      id: expect.any(String),
    });
    expect(Math.abs(Date.parse(made.expires_at) - Date.now() - 90 * 86_400_000)).toBeLessThan(60_000);
    expect(await ask(made.secret, '10.1.2.3')).toMatchObject({ id: 'token:etl', roles: ['viewer', 'worker'] });
    expect(await ask(made.secret)).toBe('credential-address');
  });

  it('create shows the lines to paste and the warning about the API key', async () => {
    const { status, out } = await lictor('token', 'create', 'etl', '--role', 'worker');
    expect(status).toBe(0);
    const secret = /^ {2}(lct_\w+)$/m.exec(out)?.[1] ?? '';
    expect(out).toContain(`export PREFECT_API_AUTH_STRING=any:${secret}\n`);
    expect(out).toContain('export PREFECT_API_URL=http://localhost:8200/api\n');
    expect(out).toContain(`'{"X-Lictor-Token": "${secret}"}'`);
    expect(out).toContain('with an API key alone HTTP works and the event sockets cannot');
    expect(out).toContain('no expiry');
    expect(out).not.toContain('PREFECT_API_SSL_CERT_FILE');
  });

  it('create and rotate name the authority of a certificate that the gateway makes itself: no client knows it', async () => {
    writeFileSync(join(root, 'lictor.yaml'), 'public_url: https://prefect.example.com\nprefect: { url: http://127.0.0.1:4200 }\ntls: { self_made: true }\n');
    const line = `\n  export PREFECT_API_SSL_CERT_FILE=${join(root, 'tls', 'ca.pem')}\n\nThe gateway's certificate is self-made`;
    expect((await lictor('token', 'create', 'etl', '--role', 'worker')).out).toContain(line);
    expect((await lictor('token', 'rotate', 'etl')).out).toContain(line);
  });

  it('shows a secret once: it stands in no file, list or record', async () => {
    const { secret } = await json('token', 'create', 'etl', '--role', 'worker');
    const { out } = await lictor('token', 'list');
    const files = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
    for (const text of [out, ...files.map(({ name }) => readFileSync(join(root, name), 'latin1'))]) expect(text).not.toContain(secret.slice(14));
    expect(statSync(join(root, 'lictor.db')).mode & 0o777).toBe(0o600);
  });

  it('list shows the age and the last use of each, and fits the terminal', async () => {
    const { id } = await json('token', 'create', 'etl', '--role', 'worker', '--scope', 'tag=team-a', '--cidr', '10.0.0.0/8', '--expires', '90d');
    expect((await lictor('token', 'list')).out).toMatch(/AGE +EXPIRES +LAST USED \(UTC\).*\n.* 0 d +\d{4}-\d\d-\d\d +never /);
    await inStore((store) => store.tokens.touch({ id, hash: '', usedMs: Date.parse('2026-03-01T12:00:00Z'), address: '192.0.2.7' }));
    expect((await lictor('token', 'list')).out).toContain('2026-03-01 12:00');
    expect((await json('token', 'list'))[0]).toMatchObject({ age_days: 0, last_used_at: '2026-03-01T12:00:00.000Z' });
    const out = new PassThrough();
    await main({ args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), 'token', 'list'], out, err: out, env: { COLUMNS: '80' }, cwd: root });
    expect(
      Math.max(
        ...String(out.read())
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(80);
  });

  it('create refuses a name that is taken, and changes nothing', async () => {
    await json('token', 'create', 'etl', '--role', 'worker');
    expect(await lictor('token', 'create', 'etl', '--role', 'admin')).toMatchObject({ status: 1, out: '', err: expect.stringContaining('rotate etl') });
    expect(await json('token', 'list')).toMatchObject([{ name: 'etl', roles: ['worker'], state: 'live' }]);
  });

  it.each([
    ['no role', ['create', 'x']],
    ['an unknown role', ['create', 'x', '--role', 'root']],
    ['a name with a slash', ['create', 'a/b', '--role', 'viewer']],
    ['an empty name', ['create', '', '--role', 'viewer']],
    ['a bad network', ['create', 'x', '--role', 'viewer', '--cidr', '10.0.0.0/99']],
    ['a bad expiry', ['create', 'x', '--role', 'viewer', '--expires', '90']],
    ['a scope of nothing known', ['create', 'x', '--role', 'viewer', '--scope', 'team=a']],
    ['a scope without a value', ['create', 'x', '--role', 'viewer', '--scope', 'tag=']],
    ['a deployment without its flow', ['create', 'x', '--role', 'viewer', '--scope', 'deployment=nightly']],
    ['a bad overlap', ['rotate', 'x', '--overlap', 'soon']],
  ])('answers 2 to %s', async (_name, args) => {
    const { status, out, err } = await lictor('token', ...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).not.toMatch(/defect|at .*\.ts/);
  });

  it('create keeps on what the roles hold, and says so', async () => {
    const args = ['create', 'a', '--role', 'operator', '--scope', 'tag=team-a', '--scope', 'tag=x', '--scope', 'own', '--pool', 'pool-a'];
    expect(await json('token', ...args)).toMatchObject({ scope: 'tags=team-a,x work_pools=pool-a own' });
    await json('token', 'create', 'b', '--role', 'operator');
    const listed = await json('token', 'list');
    expect(listed).toContainEqual(expect.objectContaining({ name: 'a', scope: 'tags=team-a,x work_pools=pool-a own' }));
    expect(listed).toContainEqual(expect.objectContaining({ name: 'b', scope: null }));
    expect((await inStore((store) => store.tokens.byName('a')))?.scope).toEqual({ ...NOWHERE, tags: ['team-a', 'x'], workPools: ['pool-a'], own: true });
  });

  it('create and rotate for an agent take no role, and record those of the agent', async () => {
    const agent = '{ name: copilot, sponsor: "user:alice@local", credential: token, roles: [{ role: agent, scope: { tags: [team-a] } }] }';
    appendFileSync(join(root, 'lictor.yaml'), `agents: [${agent}]\n`);
    for (const right of [
      ['--role', 'admin'],
      ['--scope', 'tag=b'],
      ['--pool', 'p'],
    ])
      expect(await lictor('token', 'create', 'copilot', ...right)).toMatchObject({ status: 2, err: expect.stringContaining('copilot is an agent') });
    expect(await json('token', 'create', 'copilot')).toMatchObject({ name: 'copilot', role: '', roles: [], scope: null });
    expect((await lictor('token', 'rotate', 'copilot')).out).toContain('Service token copilot (of an agent; no expiry)');
    const grant = { members: ['agent:copilot'], role: 'agent', scope: 'tags=team-a', rules: ['lictor.yaml agents[0]'] };
    expect((await grants()).flat()).toEqual([expect.objectContaining(grant), expect.objectContaining(grant)]);
  });

  it('create without a role is refused for any other name', async () => {
    expect(await lictor('token', 'create', 'copilot')).toMatchObject({ status: 2, err: expect.stringContaining('--role is needed') });
    expect(await json('token', 'list')).toEqual([]);
  });

  it('list shows no role for a token that belongs to an agent now', async () => {
    await json('token', 'create', 'copilot', '--role', 'worker');
    appendFileSync(join(root, 'lictor.yaml'), 'agents: [{ name: copilot, sponsor: "user:alice@local", credential: token, roles: [{ role: agent }] }]\n');
    expect(await json('token', 'list')).toMatchObject([{ name: 'copilot', roles: [] }]);
  });

  it('rotate keeps the id; the old secret lives for the overlap, and 0s ends it at once', async () => {
    const first = await json('token', 'create', 'etl', '--role', 'worker');
    const second = await json('token', 'rotate', 'etl', '--overlap', '1h');
    expect(second).toMatchObject({ id: first.id, name: 'etl', role: 'worker' });
    expect(await Promise.all([ask(first.secret), ask(second.secret)])).toMatchObject([{ id: 'token:etl' }, { id: 'token:etl' }]);
    const third = await json('token', 'rotate', 'etl', '--overlap', '0s');
    expect([await ask(first.secret), await ask(second.secret)]).toEqual(['credential-unknown', 'credential-expired']);
    expect(await ask(third.secret)).toMatchObject({ id: 'token:etl' });
  });

  it('asks which token, account or role was meant', async () => {
    await lictor('token', 'create', 'etl-worker', '--role', 'worker');
    await lictor('account', 'add', 'alice', '--role', 'viewer');
    for (const args of [
      ['token', 'revoke', 'etl-workr'],
      ['token', 'rotate', 'etl-workr'],
    ])
      expect(await lictor(...args)).toMatchObject({ status: 1, err: expect.stringContaining('Did you mean etl-worker?') });
    for (const args of [
      ['account', 'remove', 'alise'],
      ['account', 'passwd', 'alise'],
    ])
      expect(await lictor(...args)).toMatchObject({ status: 1, err: expect.stringContaining('Did you mean alice?') });
    const viewr = await lictor('account', 'add', 'bob', '--role', 'viewr');
    expect(viewr).toMatchObject({ status: 2, err: expect.stringContaining('Did you mean viewer?') });
  });

  it('revoke ends it, by name; what is not live is said without repeating it when it may be a secret', async () => {
    const { secret } = await json('token', 'create', 'etl', '--role', 'worker');
    expect(await lictor('token', 'revoke', 'etl')).toMatchObject({ status: 0, out: 'Token etl is revoked.\n' });
    expect(await ask(secret)).toBe('credential-revoked');
    expect(await lictor('token', 'revoke', 'etl')).toMatchObject({ status: 1, err: expect.stringContaining('no live token etl') });
    expect(await lictor('token', 'rotate', 'etl')).toMatchObject({ status: 1 });
    const pasted = await lictor('token', 'revoke', secret);
    expect(pasted.status).toBe(1);
    expect(pasted.err).not.toContain(secret);
  });

  it('records every change with who made it on this machine', async () => {
    await json('token', 'create', 'etl', '--role', 'worker');
    await json('token', 'rotate', 'etl');
    await lictor('token', 'revoke', 'etl');
    expect(await actions()).toEqual(['create', 'rotate', 'revoke'].map((verb) => [`token.${verb}`, 'etl', 'local']));
  });

  it('gives no right that it cannot record, and takes rights away all the same', async () => {
    const { secret } = await json('token', 'create', 'etl', '--role', 'worker');
    rmSync(join(root, 'ledger.db'), { force: true });
    writeFileSync(join(root, 'ledger.db'), 'no database at all, but long enough to be read as one'.repeat(40));
    for (const name of ['ledger.db-wal', 'ledger.db-shm']) rmSync(join(root, name), { force: true });
    chmodSync(join(root, 'ledger.db'), 0o400);
    expect(await lictor('token', 'create', 'other', '--role', 'worker')).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringContaining('Nothing was changed'),
    });
    expect(await inStore((store) => store.tokens.byName('other'))).toBeUndefined();
    expect(await lictor('token', 'revoke', 'etl')).toMatchObject({ status: 0, err: expect.stringContaining('not recorded') });
    expect(await ask(secret)).toBe('credential-revoked');
  });
});

describe('lictor identity', () => {
  const BOB = { idp: 'corp', subject: 'sub-1', name: 'bob', kind: 'user', groups: ['platform'], claims: {} } as const;

  it('lists who has come, and forgets a name so that another subject may have it', async () => {
    expect((await lictor('identity', 'list')).out).toContain('No user has logged in');
    await inStore(({ identities }) => identities.put(BOB, 'its word'));
    expect((await lictor('identity', 'list')).out).toMatch(/bob@corp +sub-1 +platform/);
    expect(await json('identity', 'list')).toMatchObject([{ id: 'bob@corp', subject: 'sub-1', groups: ['platform'] }]);
    expect(await inStore(({ identities }) => identities.put({ ...BOB, subject: 'sub-2' }, 'its word'))).toBeUndefined();
    expect((await lictor('identity', 'forget', 'bob@corp')).status).toBe(0);
    expect(await inStore(({ identities }) => identities.put({ ...BOB, subject: 'sub-2' }, 'its word'))).toBeDefined();
    expect(await actions()).toEqual([['identity.forget', 'bob@corp', 'local']]);
  });

  it.each(['bob@corp', 'bob', '@corp', ''])('forget: nobody is called %j', async (id) => {
    const { status, err } = await lictor('identity', 'forget', id);
    expect([status, err]).toEqual([1, expect.stringContaining('lictor identity list')]);
  });
});

describe('lictor account', () => {
  const checkPassword = (name: string, password: string) =>
    inStore(async (store) => createPasswords().check(password, (await store.accounts.byName(name))?.password ?? null, { from: '', isKnown: true }));

  async function withStdin(input: string, ...args: string[]) {
    const out = new PassThrough();
    const program = new Command().exitOverride();
    const context = createContext({
      out,
      err: new PassThrough(),
      env: {},
      cwd: root,
      pause: async () => undefined,
      wholeProgram: () => Promise.reject(new Error('not here')),
      globalOptions: () => ({ config: join(root, 'lictor.yaml'), stateDir: root }),
    });
    registerAccount(program, context, Readable.from([input]));
    await program.parseAsync(['account', ...args], { from: 'user' });
    return String(out.read() ?? '');
  }

  it('add prints a generated password that works, and keeps it nowhere', async () => {
    const made = await json('account', 'add', 'alice', '--role', 'admin');
    expect(made).toEqual({ name: 'alice', role: 'admin', roles: ['admin'], password: expect.stringMatching(/^(\w{5}-){3}\w{5}$/), expires_at: null });
    expect(await checkPassword('alice', made.password)).toBe('right');
    expect(await checkPassword('alice', `${made.password}x`)).toBe('wrong');
    expect(readFileSync(join(root, 'lictor.db'), 'latin1')).not.toContain(made.password);
  });

  it('add takes a password from standard input and does not print it', async () => {
    expect(await withStdin('correct horse\n', 'add', 'bob', '--role', 'viewer', '--password-stdin')).not.toContain('correct horse');
    expect(await checkPassword('bob', 'correct horse')).toBe('right');
  });

  it.each(['', 'short\n', 'two\nlines long\n', 'x'.repeat(1025)])('add refuses the password %j', async (input) => {
    await expect(withStdin(input, 'add', 'bob', '--role', 'viewer', '--password-stdin')).rejects.toMatchObject({ exitStatus: 2 });
    expect(await inStore((store) => store.accounts.byName('bob'))).toBeUndefined();
  });

  it.each([
    ['no role', ['add', 'x']],
    ['an unknown role', ['add', 'x', '--role', 'root']],
    ['an upper-case name', ['add', 'Alice', '--role', 'viewer']],
    ['a name with a space', ['add', 'a b', '--role', 'viewer']],
    ['a scope of nothing known', ['add', 'x', '--role', 'viewer', '--scope', 'a']],
  ])('answers 2 to %s', async (_name, args) => expect(await lictor('account', ...args)).toMatchObject({ status: 2, out: '' }));

  it('add keeps on what the roles hold', async () => {
    await json('account', 'add', 'bob', '--role', 'operator', '--scope', 'tag=team-a');
    expect(await json('account', 'list')).toMatchObject([{ name: 'bob', scope: 'tags=team-a' }]);
  });

  it('passwd replaces the password; remove frees the name; each answers 1 to nobody', async () => {
    const first = await json('account', 'add', 'alice', '--role', 'admin');
    const second = await json('account', 'passwd', 'alice');
    expect([await checkPassword('alice', first.password), await checkPassword('alice', second.password)]).toEqual(['wrong', 'right']);
    expect(await lictor('account', 'add', 'alice', '--role', 'viewer')).toMatchObject({ status: 1 });
    expect(await json('account', 'list')).toMatchObject([{ name: 'alice', roles: ['admin'] }]);
    expect(await lictor('account', 'remove', 'alice')).toMatchObject({ status: 0 });
    expect(await lictor('account', 'remove', 'alice')).toMatchObject({ status: 1 });
    expect(await lictor('account', 'passwd', 'alice')).toMatchObject({ status: 1 });
    expect(await json('account', 'list')).toEqual([]);
    expect(await actions()).toEqual(['add', 'passwd', 'remove'].map((verb) => [`account.${verb}`, 'alice', 'local']));
  });

  it('add without built-in accounts in the configuration is break glass for an hour: said, listed, recorded as such', async () => {
    writeFileSync(join(root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n');
    const { out } = await lictor('account', 'add', 'emma', '--role', 'admin');
    expect(out).toContain('It is break glass: it ends by itself at');
    const [listed] = await json('account', 'list');
    expect(Math.abs(Date.parse(listed.expires_at) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(await actions()).toEqual([['account.break_glass', 'emma', 'local']]);
  });

  it('add --for takes at most a day', async () => {
    expect(Date.parse((await json('account', 'add', 'emma', '--role', 'admin', '--for', '15m')).expires_at)).toBeLessThan(Date.now() + 16 * 60_000);
    for (const wrong of ['25h', '0s', 'long']) expect(await lictor('account', 'add', 'x', '--role', 'admin', '--for', wrong)).toMatchObject({ status: 2 });
  });
});

it('token revoke NAME@IDP ends the runs of a workload that has no exchanged token just now, and of no other', async () => {
  const run = (worker: string) => ({
    ...{ hash: worker, id: worker, flowRunId: worker, deploymentId: null, pool: 'p', stateId: 's', worker, binding: `principal ${worker}` },
    ...{ credentialId: 'jwt', identity: null, onBehalfOf: [], expiresMs: systemClock() + 3_600_000 },
  });
  await inStore((store) => store.runTokens.put([run('job@ci'), run('other@ci')]));
  expect(await lictor('token', 'revoke', 'job@ci')).toEqual({ status: 0, out: '0 access tokens are revoked, and the tokens of 1 run.\n', err: '' });
  const ended = (worker: string) => inStore(async (store) => (await store.runTokens.byHash(worker))?.endedMs !== null);
  expect([await ended('job@ci'), await ended('other@ci')]).toEqual([true, false]);
  expect(await actions()).toEqual([['token.revoke', 'job@ci', 'local']]);
  expect(await lictor('token', 'revoke', 'gone@ci')).toMatchObject({ status: 1, err: expect.stringContaining('has no live access token') });
});
