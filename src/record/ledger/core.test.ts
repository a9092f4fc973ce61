import { appendFileSync, statSync, truncateSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../config/state-dir.ts';
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { appendRecord } from './append-record.ts';
import { recordOfRow } from './columns.ts';
import { type Core, createCore } from './core.ts';
import { accessLine, END_MS, FLOW_RUN, facts, tempState, workerSetup } from './lines.fixture.ts';
import type { WorkerSetup } from './protocol.ts';

describe('ledger core', () => {
  let paths: StatePaths;
  let remove: () => void;
  let nowMs: number;
  /** Where the access log is. */
  let free: number;
  let sessions: number;
  let health: boolean[];
  let cores: Core[];
  beforeEach(() => {
    ({ paths, remove } = tempState());
    nowMs = END_MS;
    free = 1 << 30;
    sessions = 0;
    health = [];
    cores = [];
  });
  afterEach(() => {
    for (const core of cores) core.close();
    remove();
  });

  function start(session = `session-${++sessions}`, more: Partial<WorkerSetup> = {}): Core {
    const core = createCore({
      setup: { ...workerSetup(paths, session, nowMs), ...more },
      routes: createCatalogue(),
      clock: () => nowMs,
      onHealth: (healthy) => health.push(healthy),
      freeBytes: () => free,
    });
    cores.push(core);
    return core;
  }
  const pumpAll = (core: Core) => {
    while (core.pump());
  };
  const log = (...lines: string[]) => appendFileSync(paths.accessLog, lines.map((line) => `${line}\n`).join(''));
  const at = () => new Date(nowMs).toISOString();
  const intent = (id: string): NewRecord & { request_id: string } => ({ time: at(), request_id: id, principal: 'alice@local', action: 'flow_runs.create' });
  function sql(text: string) {
    using db = new DatabaseSync(paths.ledgerFile);
    return db.prepare(text).all();
  }
  const records = (): LedgerRecord[] => sql('SELECT * FROM records ORDER BY seq').map(recordOfRow);
  const requests = () => records().filter((record) => record.request_id !== null);

  it('gives only the owner access to its file', () => {
    start();
    expect(statSync(paths.ledgerFile).mode & 0o777).toBe(0o600);
    expect(statSync(`${paths.ledgerFile}-wal`).mode & 0o777).toBe(0o600);
  });

  it('records a line once, even when the log is read again', () => {
    const core = start();
    log(accessLine('r1'), accessLine('r2'), accessLine('r1'));
    pumpAll(core);
    sql('DELETE FROM tails');
    pumpAll(start());
    expect(requests().map((record) => record.request_id)).toEqual(['r1', 'r2']);
  });

  it('numbers records without gaps, through other processes too', () => {
    const core = start();
    log(accessLine('r1'), accessLine('r1'), accessLine('r2'));
    pumpAll(core);
    appendRecord(paths, { time: at(), action: 'accounts.add' });
    core.run([{ kind: 'append', record: { time: at(), action: 'login' } }]);
    expect(records().map((record) => [record.node, record.seq])).toEqual([1, 2, 3, 4, 5].map((seq) => ['n1', seq]));
  });

  it('records an unreadable line as such, with nothing of its text', () => {
    const core = start();
    log('{"request_id": broken secret', accessLine('r1'));
    pumpAll(core);
    const unreadable = records().filter((record) => record.reason === 'line-unreadable');
    expect(unreadable).toHaveLength(1);
    expect(JSON.stringify(unreadable)).not.toContain('secret');
    expect(requests()).toHaveLength(1);
  });

  it('turns an intent and its outcome into one record, and adds nothing for its access line', () => {
    const core = start();
    expect(core.run([{ kind: 'intend', record: intent('m1') }])).toEqual([null]);
    expect(requests()).toEqual([]);
    log(accessLine('m1', { taken: 'mediated', status: 201 }));
    pumpAll(core);
    const outcome = { status: 201, flow_run_id: FLOW_RUN, run_binding: 'verified' as const };
    expect(core.run([{ kind: 'settle', requestId: 'm1', outcome }])).toEqual([null]);
    log(accessLine('m1', { taken: 'mediated' }));
    pumpAll(core);
    expect(requests()).toMatchObject([{ request_id: 'm1', principal: 'alice@local', status: 201, bytes: 812, flow_run_id: FLOW_RUN, run_binding: 'verified' }]);
    expect(sql('SELECT * FROM intents')).toEqual([]);
  });

  it('shows an outcome at once, and brings those to the disk that did not come with something that waited for it', () => {
    const core = start();
    const signedMs = () => Number(sql("SELECT value FROM meta WHERE key = 'alive_ms'")[0]?.['value']);
    const syncsLater = () => {
      nowMs += 1_000;
      core.sync();
      return signedMs() === nowMs;
    };
    expect(syncsLater(), 'what a thread before this one left').toBe(true);
    core.run([{ kind: 'intend', record: intent('m1') }]);
    expect(syncsLater(), 'an intent').toBe(false);
    core.run([{ kind: 'settle', requestId: 'm1', outcome: { status: 201 } }]);
    expect(requests()).toMatchObject([{ request_id: 'm1', status: 201 }]);
    expect(syncsLater(), 'an outcome').toBe(true);
    expect(syncsLater(), 'nothing more').toBe(false);
    core.run([{ kind: 'intend', record: intent('m2') }]);
    core.run([
      { kind: 'settle', requestId: 'm2', outcome: { status: 201 } },
      { kind: 'intend', record: intent('m3') },
    ]);
    expect(syncsLater(), 'an outcome with an intent').toBe(false);
    core.run([{ kind: 'settle', requestId: 'm3', outcome: { status: 201 } }]);
    core.run([{ kind: 'append', record: { time: at(), request_id: 'a1' } }]);
    expect(syncsLater(), 'an outcome before a record').toBe(false);
  });

  it('refuses a second intent and a settle without one, and still does the rest of the group', () => {
    const outcomes = start().run([
      { kind: 'intend', record: intent('m1') },
      { kind: 'intend', record: intent('m1') },
      { kind: 'settle', requestId: 'nobody', outcome: {} },
      { kind: 'append', record: { time: 'not a time' } },
      { kind: 'append', record: { time: at(), request_id: 'a1' } },
    ]);
    expect(outcomes.map((outcome) => outcome?.code ?? null)).toEqual([null, 'ledger-request-recorded', 'ledger-intent-missing', 'ledger-record-invalid', null]);
    expect(requests().map((record) => record.request_id)).toEqual(['a1']);
  });

  it('says that the outcome is unknown for intents of a killed control plane, with the status that nginx saw', () => {
    const killed = start();
    killed.run([
      { kind: 'intend', record: intent('seen') },
      { kind: 'intend', record: intent('unseen') },
    ]);
    log(accessLine('seen', { taken: 'mediated', status: 201 }));
    const next = start();
    next.run([{ kind: 'intend', record: intent('mine') }]);
    pumpAll(next);
    expect(requests()).toMatchObject([
      { request_id: 'seen', reason: 'outcome-unknown', status: 201, principal: 'alice@local' },
      { request_id: 'unseen', reason: 'outcome-unknown', status: null },
    ]);
  });

  it('holds the line of a relayed request for the richer record of the control plane', () => {
    const core = start();
    log(
      accessLine('s1', { taken: 'relay', facts: '', status: 101 }),
      accessLine('s2', { taken: 'relay', facts: '', status: 503, code: 'gateway-unavailable' }),
    );
    pumpAll(core);
    core.run([{ kind: 'append', record: { time: at(), request_id: 's1', principal: 'alice@local' } }]);
    nowMs += 5_000;
    core.tick();
    expect(requests()).toMatchObject([
      { request_id: 's1', principal: 'alice@local' },
      { request_id: 's2', decision: 'deny', reason: 'gateway-unavailable' },
    ]);
  });

  it('holds the line of a client that left before one of the gateway’s own pages answered', () => {
    const core = start();
    const own = { taken: 'own', facts: '', operation: '', path: '/.lictor/login', method: 'POST' };
    log(accessLine('s1', { ...own, status: 499 }), accessLine('s2', { ...own, status: 499 }), accessLine('s3', { ...own, status: 404 }));
    pumpAll(core);
    expect(requests()).toMatchObject([{ request_id: 's3', status: 404 }]);
    core.run([{ kind: 'append', record: { time: at(), request_id: 's1', principal: 'alice@local', action: 'session.login', decision: 'allow' } }]);
    nowMs += 5_000;
    core.tick();
    expect(requests()).toMatchObject([{ request_id: 's3' }, { request_id: 's1', action: 'session.login' }, { request_id: 's2', action: null, status: 499 }]);
  });

  it('gives the probes of a load balancer no record each, and every other request one', () => {
    const probe = { path: '/.lictor/ready', taken: 'own', operation: '', facts: '' };
    const left = [{}, { status: 503 }, { path: '/.lictor/health' }, { method: 'HEAD' }];
    const written = [
      ...[{ status: 429, code: 'rate-limited' }, { status: 503, code: 'control-unavailable' }, { facts: facts() }, { method: 'POST' }],
      ...[{ path: '/.lictor/ready/' }, { path: '/.lictor/readyx' }, { path: '/x/.lictor/ready' }, { path: '/%2elictor/ready' }],
      ...[{ path: '/.lictor/me' }, { status: 404 }, { taken: 'direct' }, { taken: '' }],
    ];
    log(...[...left, ...written].map((more, index) => accessLine(`p${index}`, { ...probe, ...more })));
    pumpAll(start());
    expect(requests().map(({ request_id }) => request_id)).toEqual(written.map((_, index) => `p${left.length + index}`));
  });

  it('continues after a line with an invalid time', () => {
    const core = start();
    log(accessLine('r1', { msec: 1e15 }), accessLine('r2'));
    pumpAll(core);
    expect(health).toEqual([]);
    expect(requests()).toMatchObject([{ request_id: 'r2' }]);
    expect(records().filter(({ reason }) => reason === 'line-unreadable')).toHaveLength(1);
  });

  it('names the end before each start: none, clean, unclean', () => {
    start().close();
    nowMs += 60_000;
    start();
    start();
    const starts = records().filter((record) => record.action === 'gateway.started');
    expect(starts).toMatchObject([
      { reason: 'control-plane-started', resource_id: 'none', duration_ms: null },
      { reason: 'control-plane-started', resource_id: 'clean', duration_ms: 60_000 },
      { reason: 'control-plane-started', resource_id: 'unclean', duration_ms: 0 },
    ]);
  });

  it('has the roles of lictor.yaml in the record of each start, and null where there are none', () => {
    const grants = [{ expires_at: null, members: ['*@local'], networks: [], role: 'viewer', rules: ['lictor.yaml roles[0]'], scope: null }];
    start('first', { grants }).close();
    start('second').close();
    expect(
      records()
        .filter(({ action }) => action === 'gateway.started')
        .map((record) => record.grants),
    ).toEqual([grants, null]);
  });

  it('includes unread lines in the gap without a control plane, because a power failure may take them', () => {
    nowMs = END_MS + 20_000;
    const core = start();
    log(...Array.from({ length: 400 }, (_, index) => accessLine(`r${index}`)));
    core.pump();
    expect(core.lagMs()).toBe(20_000);
    core.tick();
    truncateSync(paths.accessLog);
    nowMs += 60_000;
    start();
    expect(records().find(({ resource_id }) => resource_id === 'unclean')).toMatchObject({ action: 'gateway.started', duration_ms: 80_000 });
  });

  describe('when the clock goes back', () => {
    const HOUR_MS = 3_600_000;

    it('writes its heartbeat by the new time: the next start counts from there', () => {
      const core = start();
      core.tick();
      nowMs -= HOUR_MS;
      core.tick();
      nowMs += 60_000;
      start();
      expect(records().find(({ resource_id }) => resource_id === 'unclean')).toMatchObject({ duration_ms: 60_000 });
    });

    it('holds no line until the old time comes again', () => {
      const core = start();
      log(accessLine('s1', { taken: 'relay', facts: '', status: 101 }));
      pumpAll(core);
      nowMs -= 3_000;
      core.tick();
      expect(requests()).toEqual([]);
      nowMs -= HOUR_MS;
      core.tick();
      expect(requests()).toMatchObject([{ request_id: 's1' }]);
    });

    it('still writes a checkpoint each hour', () => {
      const count = () => Number(sql('SELECT count(*) AS n FROM checkpoints')[0]?.['n']);
      const core = start();
      const before = count();
      nowMs -= 24 * HOUR_MS;
      core.tick();
      expect(count()).toBe(before + 1);
      nowMs += HOUR_MS - 1;
      core.tick();
      expect(count()).toBe(before + 1);
      nowMs += 1;
      core.tick();
      expect(count()).toBe(before + 2);
    });
  });

  it('is no new start when only its thread was started again', () => {
    start('same');
    start('same');
    expect(records().filter((record) => record.action === 'gateway.started')).toHaveLength(1);
  });

  it.each([
    ['worker', 77],
    ['master', 76],
  ])('records the death of a %s of nginx once, with the time since the last line', (what, pid) => {
    const core = start();
    log(accessLine('r1', { pid: 77 }));
    const local = new Date(END_MS + 3_000);
    const pad = (value: number) => String(value).padStart(2, '0');
    const day = `${local.getFullYear()}/${pad(local.getMonth() + 1)}/${pad(local.getDate())}`;
    const time = `${pad(local.getHours())}:${pad(local.getMinutes())}:${pad(local.getSeconds())}`;
    appendFileSync(paths.edgeErrorLog, `${day} ${time} [notice] 1#1: start\n${day} ${time} [alert] 1#1: ${what} process ${pid} exited on signal 9\n`);
    pumpAll(core);
    sql('DELETE FROM tails');
    pumpAll(start());
    const deaths = records().filter((record) => record.action === 'edge.worker_died');
    expect(deaths).toMatchObject([{ reason: 'edge-worker-died', resource_id: String(pid), tool: 'signal 9', duration_ms: 3_499 }]);
  });

  describe('when it cannot be written', () => {
    const FULL = "CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";

    it('rejects, reports it, and recovers without a lost or doubled record', () => {
      const core = start();
      core.run([{ kind: 'intend', record: intent('m1') }]);
      using other = new DatabaseSync(paths.ledgerFile);
      other.exec(FULL);
      log(accessLine('r1'));
      expect(core.run([{ kind: 'append', record: { time: at() } }])[0]?.code).toBe('ledger-unavailable');
      expect(core.run([{ kind: 'intend', record: intent('m2') }])[0]?.code).toBe('ledger-unavailable');
      expect(core.run([{ kind: 'settle', requestId: 'm1', outcome: { status: 201 } }])[0]?.code).toBe('ledger-unavailable');
      expect([core.pump(), core.healthy(), health]).toEqual([false, false, [false]]);
      other.exec('DROP TRIGGER full');
      nowMs += 7_000;
      pumpAll(core);
      expect([core.healthy(), health]).toEqual([true, [false, true]]);
      expect(requests().map((record) => [record.request_id, record.status])).toEqual([
        ['r1', 200],
        ['m1', 201],
      ]);
      expect(records().filter((record) => record.action === 'ledger.recovered')).toMatchObject([{ duration_ms: 7_000 }]);
      expect(core.run([{ kind: 'intend', record: intent('m2') }])).toEqual([null]);
    });

    it('names no time below nothing when the clock was put back meanwhile', () => {
      const core = start();
      using other = new DatabaseSync(paths.ledgerFile);
      other.exec(FULL);
      expect(core.run([{ kind: 'append', record: { time: at() } }])[0]?.code).toBe('ledger-unavailable');
      other.exec('DROP TRIGGER full');
      nowMs -= 3_600_000;
      pumpAll(core);
      expect(records().filter((record) => record.action === 'ledger.recovered')).toMatchObject([{ duration_ms: 0 }]);
    });

    it('refuses while nginx has no room for its lines, and names the time since there was some', () => {
      const core = start();
      core.tick();
      nowMs += 700;
      free = 4_096;
      core.tick();
      expect(health).toEqual([false]);
      expect(core.run([{ kind: 'intend', record: intent('m1') }])).toMatchObject([{ code: 'ledger-unavailable' }]);
      log(accessLine('r1'));
      nowMs += 9_000;
      expect(core.pump()).toBe(false);
      expect(requests()).toEqual([]);
      free = 8 << 20;
      // nginx itself waits for a moment.
      nowMs += 100;
      core.pump();
      expect(core.healthy()).toBe(false);
      nowMs += 2_000;
      pumpAll(core);
      expect(health).toEqual([false, true]);
      expect(records().find(({ action }) => action === 'ledger.recovered')).toMatchObject({ duration_ms: 700 + 9_000 + 100 + 2_000 });
      expect(requests()).toMatchObject([{ request_id: 'r1' }]);
      expect(core.run([{ kind: 'intend', record: intent('m1') }])).toEqual([null]);
    });

    it('writes what it owes when it ends before there is room', () => {
      const core = start();
      core.run([{ kind: 'intend', record: intent('m1') }]);
      free = 0;
      core.tick();
      expect(core.run([{ kind: 'settle', requestId: 'm1', outcome: { status: 201 } }])).toMatchObject([{ code: 'ledger-unavailable' }]);
      core.close();
      expect(requests()).toMatchObject([{ request_id: 'm1', status: 201 }]);
    });

    it('does not continue from an older own head, however often it is reopened', () => {
      const core = start();
      core.run([{ kind: 'append', record: { time: at(), action: 'first' } }]);
      using other = new DatabaseSync(paths.ledgerFile);
      const head = other.prepare('SELECT text, signature FROM head').get() ?? {};
      core.run([{ kind: 'append', record: { time: at(), action: 'second' } }]);
      other.exec("DELETE FROM records WHERE action = 'second'");
      other.prepare('UPDATE head SET text = ?, signature = ?').run(String(head['text']), String(head['signature']));
      for (let time = 0; time < 3; time += 1) {
        expect(core.run([{ kind: 'append', record: { time: at() } }])[0]?.code).toBe('ledger-unavailable');
        core.pump();
      }
      expect([core.healthy(), records().map(({ action }) => action)]).toEqual([false, ['gateway.started', 'first']]);
    });

    it('starts unhealthy and opens when it can', () => {
      const other = new DatabaseSync(paths.ledgerFile);
      other.exec('CREATE TABLE records (x)');
      const core = start();
      expect(core.healthy()).toBe(false);
      other.exec('DROP TABLE records');
      other.close();
      core.pump();
      expect(core.healthy()).toBe(true);
      expect(records().map((record) => record.action)).toEqual(['gateway.started', 'ledger.recovered']);
    });
  });
});
