// SIGHUP: a broken configuration changes nothing and says why, a good one is applied whole, and no request notices either.
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { sweepOnce } from '../../src/authorization/decide/sweep.ts';
import { statePaths } from '../../src/config/state-dir.ts';
import { selfSigned } from '../env/certificate.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { workersAfter } from '../env/gateway-processes.ts';
import { isAlive, signalProcess, waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

let recorder: Recorder;
let gateway: Gateway;
let good: string;
let token: string;

beforeAll(async () => {
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder });
  good = readFileSync(gateway.configFile, 'utf8');
  token = (await gateway.token('reader', ['viewer'])).secret;
});
beforeEach(() => writeFileSync(gateway.configFile, good));
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
});

const controlLog = (of = gateway): string => readFileSync(join(of.stateDir, 'log', 'control.log'), 'utf8');
const outcomes = (of = gateway): number => [...controlLog(of).matchAll(/"configuration applied"|reload refused|"reload failed"/g)].length;

/** Writes the file, sends SIGHUP; resolves when the outcome is recorded. Answers the newest record of a reload. */
async function reload(text?: string, of = gateway): Promise<Record<string, unknown>> {
  const [before, begun] = [outcomes(of), new Date().toISOString()];
  if (text !== undefined) writeFileSync(of.configFile, text);
  signalProcess(of.pids().supervisor, 'SIGHUP');
  await waitFor(() => outcomes(of) > before, { what: 'the outcome of the reload', timeoutMs: 60_000 });
  const newest = async () => (await reloads(of)).findLast(({ time }) => String(time) >= begun);
  return (await waitFor(newest, { what: 'the record of the reload', timeoutMs: 60_000 })) ?? {};
}

async function reloads(of: Gateway): Promise<Record<string, unknown>[]> {
  return jsonLines(await of.lictorOk('audit', '--action', 'config.reload', '--json'));
}

function changed(changes: Readonly<Record<string, unknown>>): string {
  return stringify({ ...parse(good), ...changes });
}

const read = (secret = token) => gateway.fetch('/api/flows/00000000-0000-0000-0000-000000000001', { token: secret });

describe('lictor check beside a gateway that runs', () => {
  it('warns of what a reload refuses, and of nothing that a reload applies', async () => {
    writeFileSync(gateway.configFile, changed({ store: 'sqlite:other.db', started_by_tag: true }));
    const { code, output } = await gateway.lictor('check');
    expect([code, output.match(/warning/g)]).toEqual([0, ['warning']]);
    expect(output).toMatch(/store: warning: differs from what is running[\s\S]*Restart lictor up/);
    writeFileSync(gateway.configFile, changed({ started_by_tag: true, metrics: { listen: '127.0.0.1:9464' } }));
    expect(await gateway.lictorOk('check')).not.toContain('warning');
  });
});

describe('metrics.listen', () => {
  const scrape = (port: number) =>
    fetch(`http://127.0.0.1:${port}/metrics`).then(
      ({ status }) => status,
      () => 0,
    );

  it('moves with a reload; a port that is taken changes nothing', async () => {
    const [first, second] = [await freePort(), await freePort()];
    expect(await reload(changed({ metrics: { listen: `127.0.0.1:${first}` } }))).toMatchObject({ reason: 'config-applied' });
    expect([await scrape(first), await scrape(second)]).toEqual([200, 0]);
    expect(await reload(changed({ metrics: { listen: `127.0.0.1:${gateway.port}` }, started_by_tag: true }))).toMatchObject({ reason: 'config-refused' });
    expect(gateway.terminal()).toContain(`127.0.0.1:${gateway.port} is taken`);
    expect(await scrape(first)).toBe(200);
    expect(await reload(changed({ metrics: { listen: `127.0.0.1:${second}` } }))).toMatchObject({ reason: 'config-applied', tool: 'metrics' });
    expect(await scrape(second)).toBe(200);
    await waitFor(async () => (await scrape(first)) === 0, { what: 'the end of the former listener' });
    await reload(good);
    await waitFor(async () => (await scrape(second)) === 0, { what: 'the end of the last listener' });
  });
});

describe('a configuration that cannot be', () => {
  /** Invalid files are in broken-configs.ts. These files are valid, but do not fit the running gateway. */
  const broken: readonly (readonly [string, () => string, string])[] = [
    ['another public_url', () => changed({ public_url: 'http://localhost:9', listen: `127.0.0.1:${gateway.port}` }), 'Restart lictor up'],
    ['another port', () => changed({ listen: '127.0.0.1:9' }), 'Restart lictor up'],
    ['another store', () => changed({ store: 'sqlite:other.db' }), 'Restart lictor up'],
  ];

  it.each(broken)('with %s: nothing changes, and the terminal and the log say why', async (_what, text, words) => {
    const before = { pids: gateway.pids(), revision: (await reloads(gateway)).at(-1)?.['revision'] };
    const [logged, printed] = [controlLog().length, gateway.terminal().length];
    const record = await reload(text());
    expect(record).toMatchObject({ decision: 'deny', reason: 'config-refused', principal: expect.stringMatching(/^local:/), action: 'config.reload' });
    await waitFor(() => controlLog().slice(logged).includes(words), { what: `control.log to say: ${words}` });
    await waitFor(() => gateway.terminal().slice(printed).includes('nothing was changed'), { what: 'the outcome at the terminal' });
    expect(gateway.terminal().slice(printed)).toContain(words);
    expect(gateway.terminal()).toMatch(/nothing was changed, the gateway runs on as it was\.\s*$/);
    expect(gateway.pids()).toEqual(before.pids);
    if (before.revision !== undefined) expect(record['revision']).toBe(before.revision);
    expect((await read()).status).toBe(200);
  });

  it('and a dead control plane: the next one goes on with what was applied', async () => {
    await reload('public_url: [');
    const { control } = gateway.pids();
    signalProcess(control, 'SIGKILL');
    await waitFor(async () => !isAlive(control) && (await gateway.isReady()), { what: 'a new control plane', timeoutMs: 40_000 });
    expect((await read()).status).toBe(200);
  });
});

describe('a good configuration', () => {
  it('is applied whole: roles hold for the next request and the next revision, nginx is not touched', async () => {
    const { password } = await gateway.account('dora', 'viewer');
    const session = await gateway.login({ name: 'dora', password });
    const create = async (): Promise<number> =>
      (await gateway.fetch('/api/variables/', { method: 'POST', session, headers: { 'content-type': 'application/json' }, body: '{"name":"a","value":1}' }))
        .status;
    expect(await create()).toBe(403);
    const { nginx, workers, control } = gateway.pids();
    const given = await reload(changed({ roles: [{ role: 'admin', members: ['user:dora@local'] }] }));
    expect(given).toMatchObject({ decision: 'allow', reason: 'config-applied' });
    expect(await create()).toBe(200);
    const taken = await reload(good);
    expect(await create()).toBe(403);
    expect(Number(taken['revision'])).toBe(Number(given['revision']) + 1);
    expect(taken['resource_id']).toBe(`${given['revision']} -> ${taken['revision']}`);
    expect(gateway.pids()).toMatchObject({ nginx, workers, control });
  });

  it('whose sweep fails is applied and says so; the sweep is made up for', async () => {
    const { decisionCache } = statePaths(gateway.stateDir, join(gateway.stateDir, 'run'));
    const aside = `${decisionCache}.aside`;
    await read();
    const told = gateway.terminal().length;
    renameSync(decisionCache, aside);
    writeFileSync(decisionCache, 'no directory');
    const record = await reload(changed({ roles: [{ role: 'viewer', members: ['user:unswept@local'] }] })).finally(() => {
      rmSync(decisionCache);
      renameSync(aside, decisionCache);
    });
    expect(record).toMatchObject({ decision: 'allow', reason: 'config-applied' });
    await gateway.says('But what was decided before is not all taken back yet, which is tried again on its own (control.log says why)');
    expect(gateway.terminal().slice(told)).not.toMatch(/nothing was changed/);
    await waitFor(() => readdirSync(decisionCache).length === 0, { what: 'a sweep' });
    expect((await reload(good))['reason']).toBe('config-applied');
  });

  it('with nothing changed keeps the revision', async () => {
    const first = await reload(good);
    const second = await reload(`# a comment\n${good}`);
    expect(second['revision']).toBe(first['revision']);
    await gateway.says('nothing in it has changed');
  });

  it('with another sink of the ledger alone keeps the revision too, and says that records leave for it', async () => {
    const sink = { type: 'ndjson', url: `file://${gateway.stateDir}/elsewhere.ndjson` };
    const before = await reload(good);
    const given = await reload(changed({ ledger: { export: [sink] } }));
    expect(given).toMatchObject({ reason: 'config-applied', revision: before['revision'], tool: 'ledger.export' });
    await gateway.says(`applied: revision ${before['revision']}, as before; changed: ledger.export.`);
    expect(await reload(good)).toMatchObject({ reason: 'config-applied', tool: 'ledger.export' });
    expect(await reload(good)).toMatchObject({ reason: 'config-applied', tool: null });
  });

  it('reaches nginx where nginx has a part in it: new workers, the same master', async () => {
    const { nginx, workers } = gateway.pids();
    await reload(changed({ forward_headers: ['X-Team'] }));
    await workersAfter(workers, gateway.pids);
    expect(gateway.pids().nginx).toBe(nginx);
    recorder.clear();
    await gateway.fetch('/api/flows/00000000-0000-0000-0000-000000000002', { token, headers: { 'x-team': 'a' } });
    expect(recorder.seen()[0]?.headers['x-team']).toBe('a');
  });

  it('leads to another Prefect at once; open sockets to the former one close with 1012', async () => {
    const other = await startRecorder();
    const socket = openSocket(gateway.url, '/api/events/out', { first: authFrame(token) });
    await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be authorised' });
    await reload(changed({ prefect: { ...parse(good).prefect, url: other.url } }));
    expect((await socket.ended).code).toBe(1012);
    other.clear();
    await waitFor(async () => (await read()).status === 200 && other.seen().length > 0, { what: 'the other Prefect to be asked' });
    const { workers } = gateway.pids();
    await reload(good);
    await workersAfter(workers, gateway.pids);
    await other.close();
  });

  it('closes the sockets that it no longer allows, and leaves the others open', async () => {
    const { password } = await gateway.account('sonja', 'viewer');
    const session = await gateway.login({ name: 'sonja', password });
    await reload(changed({ roles: [{ role: 'operator', members: ['*@local'] }] }));
    const kept = openSocket(gateway.url, '/api/events/out', { first: authFrame(token) });
    const stays = openSocket(gateway.url, '/api/logs/out', { headers: { cookie: session.cookie, origin: gateway.url }, first: authFrame(null) });
    await waitFor(() => kept.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be authorised' });
    await waitFor(() => stays.frames().length > 0, { what: 'the socket by cookie to be authorised' });
    await reload(changed({ identity_providers: [] }));
    expect((await stays.ended).code).toBe(1012);
    kept.send({ type: 'filter' });
    await reload(good);
    expect(await Promise.race([kept.ended, Promise.resolve('open')])).toBe('open');
    kept.close();
  });
});

interface Phase {
  readonly denies: boolean;
  readonly number: number;
  readonly changing: boolean;
}

/** While a change is under way both answers are right; before and after it only one is. */
function fits(status: number, began: Phase, ended: Phase): boolean {
  if (began.changing || ended.changing || began.number !== ended.number) return status === 200 || status === 403;
  return status === (ended.denies ? 403 : 200);
}

describe('own policies', () => {
  const NOT_THIS_ONE = '@id("not-this-one") forbid (principal == Principal::"token:reader", action == Action::"flows.read", resource);\n';
  const directory = (): string => join(gateway.stateDir, 'policies');
  const put = (text: string): void => writeFileSync(join(directory(), 'own.cedar'), text);
  const apply = (why: string) => gateway.lictorOk('policy', 'apply', '--why', why);

  beforeAll(async () => {
    mkdirSync(directory());
    put('// nothing yet\n');
    good = changed({ policies: 'policies', limits: [{ for: '*', rate: '5000/s', burst: 5000 }] });
    const { workers } = gateway.pids();
    expect(await reload(good)).toMatchObject({ reason: 'config-applied' });
    // From here on they stay the same.
    await workersAfter(workers, gateway.pids);
  });

  it('decide from the next request on, whole, under load, and every record carries the revision that decided', async () => {
    const { nginx, workers, control } = gateway.pids();
    const former = (await reloads(gateway)).at(-1)?.['revision'];
    const denies = new Map<number, boolean>([[Number(former), false]]);
    const phase = { denies: false, number: 0, changing: false };
    const wrong: string[] = [];
    let answered = 0;
    let going = true;
    const ask = async (): Promise<void> => {
      while (going) {
        const began = { ...phase };
        const { status } = await read();
        answered += 1;
        if (!fits(status, began, phase)) wrong.push(`${status} in phase ${phase.number}`);
        await delay(5);
      }
    };
    const loops = Promise.all(Array.from({ length: 4 }, ask));
    for (let round = 0; round < 6; round += 1) {
      phase.changing = true;
      put(round % 2 === 0 ? NOT_THIS_ONE : `// round ${round}\n`);
      const revision = Number(/-> (\d+)/.exec(await apply(`round ${round}`))?.[1]);
      denies.set(revision, round % 2 === 0);
      Object.assign(phase, { denies: round % 2 === 0, number: round + 1, changing: false });
      const seen = answered;
      await waitFor(() => answered > seen + 20, { what: `requests in round ${round}`, timeoutMs: 60_000 });
    }
    going = false;
    await loops;
    expect(wrong).toEqual([]);
    expect(gateway.pids()).toMatchObject({ nginx, workers, control });
    const records = jsonLines(await gateway.lictorOk('audit', '--action', 'flows.read', '--principal', 'token:reader', '--since', '10m', '--json'));
    const decided = records.filter((record) => Number(record['revision']) > Number(former));
    expect(decided.length).toBeGreaterThan(100);
    expect(decided.filter((record) => (record['decision'] === 'deny') !== denies.get(Number(record['revision'])))).toEqual([]);
    expect(decided.find((record) => record['decision'] === 'deny')).toMatchObject({ reason: 'policy-forbids', policies: ['not-this-one'] });
    const applied = jsonLines(await gateway.lictorOk('audit', '--action', 'policy.apply', '--json')).slice(-6);
    expect(applied.map((record) => record['reason'])).toEqual(Array(6).fill('policies-applied'));
    expect(applied.map((record) => record['policies'])).toEqual(Array.from({ length: 6 }, (_none, round) => [`${round % 2 === 0 ? '+' : '-'}not-this-one`]));
  }, 180_000);

  it('are tried on what was recorded: simulate names exactly the requests that a tightened set would deny', async () => {
    const next = join(gateway.stateDir, 'policies-next');
    mkdirSync(next);
    const { secret } = await gateway.token('other', ['viewer']);
    const last = (await read(secret)).headers.get('x-request-id');
    // Lines are read in their order: when this one is a record, all before it are.
    await waitFor(async () => (await gateway.lictorOk('audit', '--principal', 'token:other', '--json')).includes(last ?? 'none'), {
      what: 'the ledger to have read what came before',
      timeoutMs: 90_000,
      everyMs: 500,
    });
    writeFileSync(join(next, 'own.cedar'), NOT_THIS_ONE);
    const { code, output } = await gateway.lictor('simulate', next, '--since', '1h', '--json');
    expect(code).toBe(1);
    const records = jsonLines(await gateway.lictorOk('audit', '--action', 'flows.read', '--principal', 'token:reader', '--decision', 'allow', '--json'));
    const { changes } = JSON.parse(output);
    expect(changes).toMatchObject([{ change: 'now-denied', principal: 'token:reader', action: 'flows.read', policies: ['not-this-one'] }]);
    expect(changes[0].requests.toSorted()).toEqual(records.map((record) => record['request_id']).sort());
    writeFileSync(join(next, 'own.cedar'), '// as it is\n');
    expect((await gateway.lictor('simulate', next, '--since', '1h', '--json')).output).toMatch(/"now-allowed":[1-9]/);
  }, 120_000);

  it('that are broken are refused, by the command and by SIGHUP, and a control plane that dies meanwhile goes on with the others', async () => {
    put(NOT_THIS_ONE);
    await apply('shut');
    expect((await read()).status).toBe(403);
    put(`${NOT_THIS_ONE}@id("open") permit (principal, action == Action::"flows.explode", resource);\n`);
    const { code, output } = await gateway.lictor('policy', 'apply');
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringMatching(/own\.cedar:2:\d+ {2}unrecognized action/) });
    expect(await reload()).toMatchObject({ reason: 'config-refused' });
    await gateway.says('own.cedar:2:');
    const { control } = gateway.pids();
    signalProcess(control, 'SIGKILL');
    await waitFor(async () => !isAlive(control) && (await gateway.isReady()), { what: 'a new control plane', timeoutMs: 40_000 });
    expect((await read()).status).toBe(403);
  });

  it('are stored with who and why, compared, shown and brought back', async () => {
    put('// open again\n');
    expect(await gateway.lictorOk('policy', 'diff')).toMatch(/^-@id\("not-this-one"\)/m);
    await apply('open');
    expect((await read()).status).toBe(200);
    const sets: unknown = JSON.parse(await gateway.lictorOk('policy', 'history', '--json'));
    expect(sets).toMatchObject([{ why: 'open', by: expect.stringMatching(/^local:/) }, { why: 'shut' }, {}, {}, {}, {}, {}, {}, {}]);
    const shut = Array.isArray(sets) ? String(sets[1].revision) : '';
    expect(await gateway.lictorOk('policy', 'show', shut)).toContain(NOT_THIS_ONE);
    put('// an edit that was never applied\n');
    expect(await gateway.lictor('policy', 'rollback', shut)).toMatchObject({ code: 1, output: expect.stringContaining('never applied') });
    expect((await read()).status).toBe(200);
    await gateway.lictorOk('policy', 'rollback', shut, '--force');
    expect((await read()).status).toBe(403);
    expect(readFileSync(join(directory(), 'own.cedar'), 'utf8')).toBe(NOT_THIS_ONE);
    put('// open\n');
    await apply('open for what follows');
  });
});

/** What nginx said last: a lost connection without its reason cannot be understood. */
function edgeErrors(): string {
  return readFileSync(join(gateway.stateDir, 'log', 'edge-error.log'), 'utf8').slice(-1000);
}

/** Asks without pause on new connections; every status that came, and every failure. */
/** Four clients, each with a pause of `pauseMs` after an answer, so that they are no load themselves. */
function askSteadily(pauseMs = 5) {
  const outcome = { answered: 0, failures: [] as string[] };
  let going = true;
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const url = `${gateway.url}/api/flows/${String(outcome.answered % 50).padStart(8, '0')}-0000-0000-0000-000000000001`;
      const request = get(url, { agent: false, headers: { authorization: `Bearer ${token}` } }, (response) => {
        response.resume().once('close', () => {
          outcome.answered += 1;
          if (response.statusCode !== 200 || !response.complete) outcome.failures.push(String(response.statusCode));
          resolve();
        });
      });
      request.once('error', (error) => {
        outcome.failures.push(`${error.message}; ${edgeErrors()}`);
        resolve();
      });
    });
  const loop = async (): Promise<void> => {
    while (going) {
      await one();
      await delay(pauseMs);
    }
  };
  const loops = Promise.all(Array.from({ length: 4 }, loop));
  return {
    answered: () => outcome.answered,
    stop: async () => {
      going = false;
      await loops;
      return outcome;
    },
  };
}

describe('twenty reloads', () => {
  it('fail no request of hundreds, keep an open socket, and leave one nginx', async () => {
    const socket = openSocket(gateway.url, '/api/events/out', { first: authFrame(token) });
    await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be authorised' });
    const asking = askSteadily(20);
    const { nginx, control } = gateway.pids();
    for (let round = 0; round < 20 || asking.answered() <= 500; round += 1) {
      const rate = { limits: [{ for: '*', rate: `${5000 + round}/s`, burst: 5000 }] };
      const roles = { roles: [{ role: 'viewer', members: [`user:u${round}@local`] }], limits: [{ for: '*', rate: '5000/s', burst: 5000 }] };
      const before = outcomes();
      writeFileSync(gateway.configFile, changed(round % 2 === 0 ? rate : roles));
      signalProcess(gateway.pids().supervisor, 'SIGHUP');
      await waitFor(() => outcomes() > before, { what: `reload ${round}`, timeoutMs: 60_000 });
    }
    const { failures } = await asking.stop();
    expect(failures).toEqual([]);
    const last20 = async () => (await reloads(gateway)).slice(-20).map((record) => record['reason']);
    // The log has the last one before the ledger.
    await waitFor(async () => (await last20()).every((reason) => reason === 'config-applied'), {
      what: 'the last record',
      timeoutMs: 60_000,
      everyMs: 200,
    }).catch(() => undefined);
    expect(await last20()).toEqual(Array(20).fill('config-applied'));
    expect(gateway.pids()).toMatchObject({ nginx, control });
    expect(await Promise.race([socket.ended, Promise.resolve('open')])).toBe('open');
    socket.close();
  }, 180_000);
});

describe('sweeping the remembered decisions', () => {
  it('without pause ends no request: nginx makes the directories anew', async () => {
    const cache = join(realpathSync(join(gateway.stateDir, 'run')), 'decisions');
    const asking = askSteadily();
    const until = Date.now() + 4000;
    while (Date.now() < until || asking.answered() <= 100) await sweepOnce(cache);
    const { failures } = await asking.stop();
    expect(failures).toEqual([]);
  });
});

describe('a renewed certificate', () => {
  it('is served after SIGHUP; an open socket stays; half a renewal changes nothing', async () => {
    const files = await selfSigned();
    const secure = await startGateway({ upstream: recorder, tls: files });
    try {
      const { secret } = await secure.token('reader', ['viewer']);
      const socket = openSocket(secure.url, '/api/events/out', { first: authFrame(secret), trustAnyCertificate: true });
      await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be authorised' });
      const [former, { workers }] = [await servedCertificate(secure.port), secure.pids()];
      const next = await selfSigned();
      renameSync(next.cert, files.cert);
      expect(await reload(undefined, secure)).toMatchObject({ reason: 'config-refused' });
      await secure.says('does not belong to tls.cert');
      expect(await servedCertificate(secure.port)).toBe(former);
      renameSync(next.key, files.key);
      expect(await reload(undefined, secure)).toMatchObject({ reason: 'config-applied' });
      await waitFor(async () => (await servedCertificate(secure.port)) !== former, { what: 'the new certificate' });
      expect(await Promise.race([socket.ended, Promise.resolve('open')])).toBe('open');
      socket.close();
      await workersAfter(workers, secure.pids);
      const latest = await selfSigned();
      const second = await servedCertificate(secure.port);
      for (const name of ['cert', 'key'] as const) renameSync(latest[name], files[name]);
      const { control } = secure.pids();
      signalProcess(control, 'SIGKILL');
      await waitFor(async () => (await servedCertificate(secure.port)) !== second, { what: 'what was renewed as the control plane died', timeoutMs: 40_000 });
      expect(isAlive(control)).toBe(false);
    } finally {
      await secure.close();
      rmSync(join(files.cert, '..'), { recursive: true });
    }
  });
});

describe('an authority of a service in other words', () => {
  it('reaches nginx by SIGHUP, though no line of the configuration has changed', async () => {
    const files = await selfSigned();
    const service = { name: 'billing', servers: ['https://127.0.0.1:1'], tls: { ca_file: files.cert }, allow: [{ paths: ['/v1/*'] }] };
    const before = gateway.pids().workers;
    expect(await reload(changed({ services: [service] }))).toMatchObject({ reason: 'config-applied' });
    const between = await workersAfter(before, gateway.pids);
    renameSync((await selfSigned()).cert, files.cert);
    expect(await reload()).toMatchObject({ reason: 'config-applied' });
    await workersAfter(between, gateway.pids);
    await reload(good);
    rmSync(join(files.cert, '..'), { recursive: true });
  });
});

function servedCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
