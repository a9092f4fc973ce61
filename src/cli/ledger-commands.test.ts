import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statePaths } from '../config/state-dir.ts';
import { appendRecord } from '../record/ledger/append-record.ts';
import { edgeDeathRecord } from '../record/ledger/events.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { flowRunEvent, uuid, writeEvents } from '../record/ledger/prefect-events/event.fixture.ts';
import { at, creation, RUN, record } from '../record/timeline/timeline.fixture.ts';
import { main } from './main.ts';

describe('audit and timeline', () => {
  let root: string;
  let remove: () => void;
  let prefect: Server | undefined;
  beforeEach(() => {
    const state = tempState();
    root = state.paths.root;
    remove = state.remove;
    prefect = undefined;
    const add = (entry: ReturnType<typeof record>) => appendRecord(state.paths, entry);
    add(creation(0));
    for (let second = 1; second < 5; second += 1) add(record(second));
    add(
      record(6, {
        principal: 'carol@local',
        action: 'flow_runs.cancel',
        decision: 'deny',
        reason: 'policy-default-deny',
        status: 403,
        source_ip: '2001:db8:85a3:1:2:8a2e:370:7334',
      }),
    );
    add(record(7, { principal: `bob\u001b[31m${'b'.repeat(60)}`, action: null, path: `/x/${'y'.repeat(300)}`, flow_run_id: null }));
    appendRecord(state.paths, { ...edgeDeathRecord({ pid: 7, isMaster: false, atMs: 0, signal: '9' }, null), time: at(2.5) });
    writeConfig('http://127.0.0.1:9');
  });
  afterEach(() => {
    prefect?.close();
    remove();
  });

  function writeConfig(url: string) {
    writeFileSync(join(root, 'lictor.yaml'), `public_url: http://localhost:8200\nprefect: { url: "${url}" }\n`);
  }

  const run = (...args: string[]) => runWith({}, ...args);

  async function runWith(env: Record<string, string>, ...args: string[]): Promise<{ status: number; out: string; err: string }> {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const status = await main({ args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args], out, err, env, cwd: root });
    const text = (stream: PassThrough) => String(stream.read() ?? '');
    return { status, out: text(out), err: text(err) };
  }

  async function startPrefect() {
    const answers: Readonly<Record<string, unknown>> = {
      [`/api/flow_runs/${RUN}`]: { id: RUN, name: 'fuzzy-otter', state_name: 'Completed', created: at(0), labels: { 'lictor.principal': 'alice@local' } },
      [`/api/flow_run_states/?flow_run_id=${RUN}`]: [{ id: 's', type: 'COMPLETED', name: 'Completed', message: 'All \u001b[2Jdone', timestamp: at(8) }],
    };
    prefect = createServer((request, response) => {
      const answer = answers[request.url ?? ''];
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
    }).listen(0, '127.0.0.1');
    await once(prefect, 'listening');
    const address = prefect.address();
    writeConfig(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  }

  it.each([80, 90, 99, 100])('audit and timeline fit a terminal of %i columns', async (columns) => {
    await startPrefect();
    for (const args of [['audit'], ['audit', '--flow-run', RUN], ['timeline', RUN], ['timeline', RUN, '--all']]) {
      const { status, out } = await runWith({ COLUMNS: String(columns) }, ...args);
      expect([status, out]).toEqual([0, expect.stringContaining('flow_runs.can')]);
      expect(Math.max(...out.split('\n').map((line) => line.length)), out).toBeLessThanOrEqual(columns);
    }
  });

  it('audit shows each record on a line of at most 120 characters, without colours and control characters', async () => {
    const { status, out } = await run('audit');
    const lines = out.trimEnd().split('\n');
    expect([status, lines.length]).toEqual([0, 9]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(out).not.toContain('\u001b');
    expect(out).toContain('deny policy-default-deny');
    expect(out).toContain('edge worker 7 died');
  });

  it('audit --json prints whole records', async () => {
    const { out } = await run('audit', '--decision', 'deny', '--json');
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ principal: 'carol@local', reason: 'policy-default-deny', hash: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  });

  it('audit pages: it names the record behind which the next page begins', async () => {
    const { err } = await run('audit', '--limit', '2');
    const after = /^The next page: the same with --after (\S+)\n$/.exec(err)?.[1] ?? '';
    const all = (await run('audit', '--json')).out.trimEnd().split('\n');
    expect(JSON.parse(all[1] ?? '')).toMatchObject({ id: after });
    expect((await run('audit', '--json', '--after', after)).out.trimEnd().split('\n')).toEqual(all.slice(2));
    expect(await run('audit', '--after', '0199c0de-0000-7000-8000-0000000000ff')).toMatchObject({ status: 1, err: expect.stringContaining('no record') });
  });

  it.each<[string[], number]>([
    [['--status', '4xx'], 1],
    [['--status', '404'], 0],
    [['--address', '2001:db8:85a3:1::/64'], 1],
    [['--address', '192.0.2.0/24'], 1],
    [['--reason', 'policy-default-deny'], 1],
    [['--text', 'CAROL'], 1],
    [['--path', '/x/*'], 1],
    [['--request', 'creation'], 1],
  ])('audit %j', async (filter, count) => {
    expect((await run('audit', ...filter, '--json')).out.split('\n')).toHaveLength(count + 1);
  });

  it('audit says so when nothing fits', async () => {
    expect(await run('audit', '--principal', 'nobody@local')).toMatchObject({ status: 0, out: '', err: 'nobody@local has no record.\n' });
    expect(await run('audit', '--principal', 'alice@local', '--status', '418')).toMatchObject({ status: 0, out: '', err: 'No record fits.\n' });
  });

  it.each([
    ['alcie@local', 'alice@local'],
    ['alice', 'alice@local'],
  ])('audit asks what was meant by the principal %s, who is in no record', async (given, meant) => {
    expect((await run('audit', '--principal', given)).err).toBe(`${given} has no record. Did you mean ${meant}?\n`);
  });

  it('audit and timeline take the name of a run or a deployment, and ask what was meant by one that nothing is called', async () => {
    await startPrefect();
    const deployment = { resource_id: `prefect.deployment.${uuid(7)}`, resource_name: 'nightly', flow_run_id: null };
    const run_ = { resource_id: `prefect.flow-run.${RUN}`, flow_run_id: RUN };
    writeEvents(statePaths(root, ''), [flowRunEvent(1, 1, run_), flowRunEvent(2, 1, deployment)]);
    expect((await run('audit', '--flow-run', 'fuzzy-otter', '--json')).out).toBe((await run('audit', '--flow-run', RUN, '--json')).out);
    expect((await run('timeline', 'fuzzy-otter')).out).toBe((await run('timeline', RUN)).out);
    expect((await run('audit', '--deployment', 'nightly')).err).toBe(`Deployment ${uuid(7)} has no record.\n`);
    for (const args of [['audit', '--flow-run'], ['timeline']])
      expect(await run(...args, 'fuzy-otter')).toMatchObject({ status: 1, out: '', err: expect.stringContaining('Did you mean fuzzy-otter?') });
    expect(await run('audit', '--deployment', 'nihgtly')).toMatchObject({ status: 1, err: expect.stringContaining('Did you mean nightly?') });
    const near = RUN.replace(/.$/, (last) => (last === 'f' ? 'e' : 'f'));
    for (const args of [['audit', '--flow-run'], ['timeline']]) expect((await run(...args, near)).err).toContain(`Did you mean ${RUN}?`);
  });

  it('audit names the ids where two runs have one name', async () => {
    writeEvents(statePaths(root, ''), [flowRunEvent(1, 1), flowRunEvent(2, 2)]);
    expect(await run('audit', '--flow-run', 'fuzzy-otter')).toMatchObject({ status: 1, err: expect.stringContaining(`${uuid(2)}, ${uuid(1)}`) });
  });

  it('audit asks about a reason or an action that no record has, and not about one that is only not there', async () => {
    expect(await run('audit', '--reason', 'policy-defalt-deny', '--action', 'deployment')).toMatchObject({
      status: 0,
      out: '',
      err: expect.stringMatching(/did you mean deployments\.\*\?\n.*did you mean policy-default-deny\?\nNo record fits\.\n$/),
    });
    expect((await run('audit', '--reason', 'session-expired', '--action', 'deployments.*')).err).toBe('No record fits.\n');
  });

  it('audit takes no time that ends before it begins', async () => {
    const time = (since: string, until: string) => run('audit', '--since', since, '--until', until);
    for (const [since, until] of [
      ['1h', '2h'],
      ['2026-03-02', '2026-03-01'],
      ['2026-03-01', '2026-03-01'],
    ] as const)
      expect(await time(since, until)).toMatchObject({ status: 2, out: '', err: expect.stringContaining('is not before --until') });
    expect((await time('2026-03-01', '2026-03-02')).status).toBe(0);
  });

  it.each([
    ['audit', '--since', 'yesterday'],
    ['audit', '--since', '2026-13-01'],
    ['audit', '--decision', 'maybe'],
    ['audit', '--action', 'DROP TABLE'],
    ['audit', '--last', '0'],
    ['audit', '--limit', '5', '--last', '5'],
    ['audit', '--limit', '5', '--follow'],
    ['audit', '--after', '17'],
    ['audit', '--status', '6xx'],
    ['audit', '--status', '40'],
    ['audit', '--address', '10.0.0.0/33'],
    ['audit', '--address', 'fe80::1%eth0'],
    ['audit', '--path', 'api'],
    ['audit', '--path', '/api/*/x'],
    ['audit', '--reason', 'No Reason'],
    ['audit', '--text', ''],
    ['audit', 'verify', '--principal', 'alice@local'],
    ['audit', 'export', '--last', '3'],
    ['timeline'],
  ])('%s %s %s is a mistake of use', async (...args) => {
    const { status, out, err } = await run(...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).not.toBe('');
  });

  it('timeline names who started the run, from where and with which request, then what happened', async () => {
    await startPrefect();
    const { status, out } = await run('timeline', RUN.replaceAll('-', '').toUpperCase());
    expect(status).toBe(0);
    const [title, started] = out.split('\n');
    expect(title).toBe(`fuzzy-otter  Completed  8.0s  ${RUN}`);
    expect(started).toBe('  started by alice@local from 192.0.2.17 at 2026-03-01 12:00:00Z, request creation');
    expect(out).toContain('+2.500s    * edge worker 7 died');
    expect(out).toMatch(/\+1\.000s {2}token:worker +2x flow_runs\.read/);
    expect(out).toMatch(/\+6\.000s {2}carol@local +flow_runs\.cancel +403 {2}verified {2}policy-default-deny/);
    expect(out).toMatch(/\+8\.000s {4}= Completed +All \ufffd\[2Jdone$/m);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('timeline --all shows every request', async () => {
    await startPrefect();
    expect((await run('timeline', RUN, '--all')).out.match(/flow_runs\.read/g)).toHaveLength(4);
  });

  it('timeline --json prints the run, then one entry a line', async () => {
    await startPrefect();
    const lines = (await run('timeline', RUN, '--json')).out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ kind: 'run', flow_run_id: RUN, state: 'Completed', started_by: { principal: 'alice@local', request_id: 'creation' } });
    expect(lines.map(({ kind }) => kind)).toEqual(['run', 'request', 'request', 'request', 'gateway', 'request', 'request', 'decision', 'state']);
  });

  it('timeline shows what the ledger has when Prefect is away, and says so', async () => {
    const { status, out } = await run('timeline', RUN);
    expect(status).toBe(0);
    expect(out).toContain('started by alice@local');
    expect(out).toContain('! Prefect could not be asked');
  });

  it('timeline shows what the ledger has when Prefect forgot the run', async () => {
    await startPrefect();
    const other = '0199c0de-0000-7000-8000-0000000000ee';
    appendRecord(statePaths(root, ''), record(1, { flow_run_id: other }));
    expect((await run('timeline', other)).out).toContain('Prefect does not know this run any more');
  });

  it('timeline fails for a run that nobody knows', async () => {
    await startPrefect();
    const { status, err } = await run('timeline', '0199c0de-0000-7000-8000-0000000000ff');
    expect([status, err]).toEqual([1, 'lictor: No flow run 0199c0de-0000-7000-8000-0000000000ff: neither Prefect nor the ledger knows it.\n']);
  });
});
