import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerExport } from '../../../config/config.ts';
import type { StatePaths } from '../../../config/state-dir.ts';
import { START_MS, writeRecords } from '../../../record/ledger/chain/chain.fixture.ts';
import { tempState } from '../../../record/ledger/lines.fixture.ts';
import { FRESH, type SinkState, writeState } from '../../../record/sinks/cursor.ts';
import { checkExports } from './exports.ts';

const SINK: LedgerExport = {
  name: 'siem',
  type: 'otlp',
  url: 'http://c/',
  format: 'record',
  from: 'now',
  events: false,
  timeoutMs: 1,
  ca: null,
  headers: {},
  secret: null,
};
const CONFIG: Parameters<typeof checkExports>[0] = {
  exports: [SINK],
  ledger: { failClosed: true, retentionSeconds: 86_400 * 30 },
  node: 'n1',
  storeAt: 'lictor.db',
};

describe('doctor, about sinks', () => {
  let paths: StatePaths;
  let remove: () => void;
  beforeEach(() => {
    ({ paths, remove } = tempState());
    writeRecords(paths, 30);
  });
  afterEach(() => remove());

  const look = (state?: Partial<SinkState>, nowMs = START_MS + 60_000) => {
    if (state !== undefined) writeState(paths.exports, 'siem', { n: 30, id: '', time: '', ...FRESH, ...state });
    return checkExports(CONFIG, paths, nowMs);
  };

  it('says nothing where there are none', () => {
    expect(checkExports({ ...CONFIG, exports: [] }, paths, START_MS)).toEqual([]);
  });

  it.each<[string, Partial<SinkState> | undefined, number | undefined, string, RegExp]>([
    ['is new', undefined, undefined, 'warn', /siem \(otlp\) has received nothing yet/],
    ['is well', {}, undefined, 'ok', /gets records; 0 records wait/],
    [
      'is away',
      { n: 3, failing_since: '2026-03-01T12:00:00.000Z', problem: 'ECONNREFUSED' },
      undefined,
      'fail',
      /has failed since 2026-03-01T12.*ECONNREFUSED; 27 records wait/,
    ],
    ['is behind', { n: 3 }, START_MS + 3_600_000, 'warn', /60 minutes behind; 27 records wait/],
    ['is not far behind', { n: 3 }, undefined, 'ok', /27 records wait/],
    ['missed something', { missed: 4 }, undefined, 'warn', /retention deleted 4 records before it got them/],
  ])('names one that %s', (_what, state, nowMs, status, message) => {
    expect(look(state, nowMs)).toMatchObject([{ status, message: expect.stringMatching(message) }]);
  });

  it('says what retention will do to what waits', () => {
    expect(look({ problem: 'answers 500', failing_since: 'x' })[0]?.remedy).toContain('30 days');
  });
});
