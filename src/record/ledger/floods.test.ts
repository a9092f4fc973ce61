// Anonymous floods: bounded single records, one summary, and nobody who is known is ever summed up.
import { appendFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../config/state-dir.ts';
import { CONNECT_ACTION } from '../../contract/destination.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { recordOfRow } from './columns.ts';
import { type Core, createCore } from './core.ts';
import { FLOOD_LIMITS, PROBES_ACTION, SUMMARY_ACTION } from './floods.ts';
import { accessLine, END_MS, facts, tempState, workerSetup } from './lines.fixture.ts';

const NOBODY = facts({
  principal: null,
  principal_kind: null,
  idp: null,
  credential_id: null,
  session_id: null,
  decision: 'deny',
  reason: 'credential-unknown',
  policies: [],
});

const refused = (id: string, more: Parameters<typeof facts>[0] = {}) =>
  facts({
    principal: `token:${id}`,
    principal_kind: 'service',
    idp: null,
    credential_id: id,
    session_id: null,
    decision: 'deny',
    reason: 'credential-revoked',
    ...more,
  });

describe('floods', () => {
  let paths: StatePaths;
  let remove: () => void;
  let nowMs: number;
  let core: Core;
  let requests: number;
  beforeEach(() => {
    ({ paths, remove } = tempState());
    nowMs = END_MS;
    requests = 0;
    core = start('s1');
  });
  afterEach(() => {
    core.close();
    remove();
  });

  function start(session: string): Core {
    return createCore({
      setup: workerSetup(paths, session, nowMs),
      routes: createCatalogue(),
      clock: () => nowMs,
      onHealth: () => undefined,
    });
  }

  /** Lines in the access log, taken by the ledger. */
  function come(count: number, more: Readonly<Record<string, string | number>> = {}, address: (index: number) => string = () => '203.0.113.9'): void {
    const lines = Array.from({ length: count }, (_, index) => {
      requests += 1;
      return `${accessLine(`r${requests}`, { facts: NOBODY, status: 401, bytes: 10, addr: address(index), ...more })}\n`;
    });
    appendFileSync(paths.accessLog, lines.join(''));
    while (core.pump());
  }

  /** The minute is over, and what is late has come. */
  function later(): void {
    nowMs += 120_000;
    core.tick();
  }

  function all(): LedgerRecord[] {
    using db = new DatabaseSync(paths.ledgerFile);
    return db.prepare('SELECT * FROM records ORDER BY seq').all().map(recordOfRow);
  }
  const summaries = () => all().filter(({ action }) => action === SUMMARY_ACTION);
  const singles = () => all().filter(({ request_id }) => request_id !== null);

  it('of one address: so many records, then one with how many more there were, when, from where and why', () => {
    come(FLOOD_LIMITS.perAddress + 40);
    come(2, { code: 'path-not-canonical', msec: ((END_MS + 5_000) / 1000).toFixed(3) });
    expect(singles()).toHaveLength(FLOOD_LIMITS.perAddress);
    expect(summaries()).toEqual([]);
    later();
    expect(summaries()).toMatchObject([
      {
        time: new Date(END_MS - 250).toISOString(),
        resource_type: 'AnonymousRequests',
        resource_id: '42',
        source_ip: '203.0.113.9',
        decision: 'deny',
        duration_ms: 5_000,
        bytes: 420,
        tool: 'credential-unknown 40, path-not-canonical 2',
        principal: null,
        request_id: null,
      },
    ]);
    later();
    expect(summaries()).toHaveLength(1);
  });

  it('a minute below the limit has all its records, and the next minute starts at zero', () => {
    come(FLOOD_LIMITS.perAddress);
    come(FLOOD_LIMITS.perAddress, { msec: ((END_MS + 60_000) / 1000).toFixed(3) });
    later();
    later();
    expect(singles()).toHaveLength(2 * FLOOD_LIMITS.perAddress);
    expect(summaries()).toEqual([]);
  });

  it('of thousands of addresses: bounded records, the busiest by name, the others together, and every request counted', () => {
    const total = 4_000;
    come(total, {}, (index) => (index % 4 === 0 ? '203.0.113.9' : `198.51.${index % 100}.${Math.floor(index / 100) % 250}`));
    later();
    expect(singles()).toHaveLength(FLOOD_LIMITS.inAll);
    expect(summaries().length).toBeLessThanOrEqual(21);
    expect(summaries().reduce((sum, { resource_id }) => sum + Number(resource_id), 0)).toBe(total - FLOOD_LIMITS.inAll);
    expect(summaries()[0]).toMatchObject({ source_ip: '203.0.113.9' });
    expect(summaries().at(-1)).toMatchObject({ source_ip: null, tool: expect.stringMatching(/^more than \d+ addresses: .*, \.\.\.$/) });
  });

  it('counts probes apart from the rejected requests of the same address, by page and status, and they use none of its single records', () => {
    const probe = { taken: 'own', operation: '', facts: '', path: '/.lictor/ready', status: 200 };
    come(FLOOD_LIMITS.perAddress + 20, probe);
    come(3, { ...probe, status: 503 });
    come(1, { ...probe, path: '/.lictor/health' }, () => '203.0.113.10');
    come(FLOOD_LIMITS.perAddress + 5);
    expect(singles()).toHaveLength(FLOOD_LIMITS.perAddress);
    later();
    expect(summaries()).toMatchObject([{ resource_id: '5', decision: 'deny', tool: 'credential-unknown 5' }]);
    const sum = { resource_type: 'Probes', decision: null, reason: null, request_id: null };
    expect(all().filter(({ action }) => action === PROBES_ACTION)).toMatchObject([
      { ...sum, resource_id: '123', source_ip: '203.0.113.9', bytes: 1230, tool: '/.lictor/ready (200) 120, /.lictor/ready (503) 3' },
      { ...sum, resource_id: '1', source_ip: '203.0.113.10', tool: '/.lictor/health (200) 1' },
    ]);
  });

  it('an IPv6 subscriber is one address', () => {
    come(FLOOD_LIMITS.perAddress + 10, {}, (index) => `2001:db8::${index.toString(16)}`);
    later();
    expect(summaries()).toMatchObject([{ source_ip: '2001:db8:0:0::/64', resource_id: '10' }]);
  });

  it('of a refused credential: so many records, then one that names the token and its owner, whatever the addresses', () => {
    come(FLOOD_LIMITS.perAddress + 30, { facts: refused('lct_ended') }, (index) => `203.0.113.${index % 100}`);
    come(5, { facts: refused('lct_ended', { reason: 'credential-expired' }) });
    come(FLOOD_LIMITS.perAddress, { facts: refused('lct_other') });
    expect(singles()).toHaveLength(2 * FLOOD_LIMITS.perAddress);
    later();
    expect(summaries()).toMatchObject([
      {
        ...{ resource_type: 'RefusedRequests', reason: 'refused-requests', resource_id: '35', decision: 'deny', source_ip: null, request_id: null },
        ...{ credential_id: 'lct_ended', principal: 'token:lct_ended', principal_kind: 'service', tool: 'credential-expired 5, credential-revoked 30' },
      },
    ]);
    expect(summaries()).toHaveLength(1);
  });

  it('of a refused credential leave everyone else their records: a live token, a denied one, and the anonymous of the same address', () => {
    const count = FLOOD_LIMITS.inAll + 100;
    for (let index = 0; index < 8; index += 1) come(FLOOD_LIMITS.perAddress, { facts: refused(`lct_${index}`) });
    expect(singles()).toHaveLength(FLOOD_LIMITS.inAll);
    const live = { principal: 'token:live', credential_id: 'lct_live', session_id: null };
    const others = [facts(live), facts({ ...live, decision: 'deny', reason: 'policy-default-deny' })];
    for (const one of others) come(count, { facts: one, status: 200 });
    come(FLOOD_LIMITS.perAddress);
    expect(singles()).toHaveLength(FLOOD_LIMITS.inAll + 2 * count + FLOOD_LIMITS.perAddress);
    later();
    expect(summaries().map(({ credential_id, resource_id }) => [credential_id, resource_id])).toEqual([
      ['lct_5', '100'],
      ['lct_6', '100'],
      ['lct_7', '100'],
    ]);
  });

  it('of thousands of refused credentials: bounded records, each request counted, the others together by name', () => {
    const lines = FLOOD_LIMITS.inAll + 40;
    for (let index = 0; index < lines; index += 1) come(1, { facts: refused(`lct_${index}`) });
    later();
    expect(singles()).toHaveLength(FLOOD_LIMITS.inAll);
    expect(summaries()).toHaveLength(21);
    expect(summaries().at(-1)).toMatchObject({ credential_id: null, resource_id: '20', tool: expect.stringMatching(/^20 credentials: lct_\d+, /) });
  });

  it('of a refused credential that only the control plane knows are counted by it, not by its address', () => {
    const time = new Date(END_MS).toISOString();
    const record = {
      time,
      source_ip: '203.0.113.9',
      decision: 'deny',
      reason: 'credential-revoked',
      credential_id: 'lct_ended',
      principal: 'token:etl',
    } as const;
    for (let number = 1; number <= FLOOD_LIMITS.perAddress + 7; number += 1) {
      core.run([{ kind: 'append', record: { ...record, request_id: `r${number}` } }]);
      come(1, { taken: 'relay', facts: '', code: '', operation: '' });
    }
    later();
    expect(singles()).toHaveLength(FLOOD_LIMITS.perAddress);
    expect(summaries()).toMatchObject([{ credential_id: 'lct_ended', principal: 'token:etl', resource_id: '7', tool: 'credential-revoked 7' }]);
  });

  it('a known requester is never summed up: a principal, a session, on whose behalf', () => {
    const count = FLOOD_LIMITS.perAddress + 50;
    come(FLOOD_LIMITS.inAll);
    const before = singles().length;
    const known = [
      facts(),
      facts({ decision: 'deny', reason: 'policy-default-deny' }),
      facts({ principal: null, principal_kind: null, credential_id: null, session_id: 's9', decision: 'deny', reason: 'session-expired' }),
      facts({ principal: null, credential_id: null, session_id: null, on_behalf_of: ['alice@local'], decision: 'deny', reason: 'policy-forbids' }),
    ];
    for (const one of known) come(count, { facts: one });
    expect(singles()).toHaveLength(before + known.length * count);
  });

  it('an allowed anonymous request has a record', () => {
    come(FLOOD_LIMITS.perAddress + 50, { facts: facts({ principal: null, credential_id: null, session_id: null }) });
    expect(singles()).toHaveLength(FLOOD_LIMITS.perAddress + 50);
  });

  it('a refusal that the control plane records as well is counted once', () => {
    come(FLOOD_LIMITS.perAddress);
    const record = { time: new Date(END_MS).toISOString(), source_ip: '203.0.113.9', decision: 'deny', reason: 'socket-token-missing' } as const;
    core.run([{ kind: 'append', record: { ...record, request_id: 'r101' } }]);
    come(1, { taken: 'relay' });
    core.run([{ kind: 'append', record: { ...record, request_id: 'r101' } }]);
    later();
    expect(summaries()).toMatchObject([{ resource_id: '1' }]);
    expect(singles()).toHaveLength(FLOOD_LIMITS.perAddress);
  });

  it.each(['relay', 'own'])('that the control plane refuses are summed up by its reasons, which nginx does not know: %s', (taken) => {
    const line = { taken, facts: '', code: '', operation: '' };
    come(FLOOD_LIMITS.perAddress);
    const record = { time: new Date(END_MS).toISOString(), source_ip: '203.0.113.9', decision: 'deny', reason: 'login-failed' } as const;
    for (let number = 1; number <= 7; number += 1) core.run([{ kind: 'append', record: { ...record, request_id: `r${FLOOD_LIMITS.perAddress + number}` } }]);
    come(7, line);
    nowMs += 5_000;
    core.tick();
    later();
    expect(summaries()).toMatchObject([{ resource_id: '7', decision: 'deny', tool: 'login-failed 7' }]);
  });

  it('at a listener that nginx does not see are counted as well, since no line of them comes', () => {
    const record = { source_ip: '203.0.113.9', decision: 'deny', reason: 'proxy-credential-missing', action: CONNECT_ACTION } as const;
    const time = new Date(END_MS).toISOString();
    for (let number = 0; number < FLOOD_LIMITS.perAddress + 30; number += 1)
      core.run([{ kind: 'append', record: { ...record, time, request_id: `c${number}` } }]);
    later();
    expect(singles()).toHaveLength(FLOOD_LIMITS.perAddress);
    expect(summaries()).toMatchObject([{ resource_id: '30', source_ip: '203.0.113.9', tool: 'proxy-credential-missing 30' }]);
  });

  it('of a time that the clock went back from are summed up as well', () => {
    come(FLOOD_LIMITS.perAddress + 7);
    nowMs -= 3_600_000;
    core.tick();
    expect(summaries()).toMatchObject([{ resource_id: '7' }]);
  });

  it('survives a restart: what was counted is summed up once, and nothing of the gateway itself is counted', () => {
    come(FLOOD_LIMITS.perAddress + 7);
    core.close();
    core = start('s2');
    come(3);
    later();
    expect(summaries()).toMatchObject([{ resource_id: '10' }]);
    expect(all().filter(({ action }) => action === 'gateway.started')).toHaveLength(2);
  });
});
