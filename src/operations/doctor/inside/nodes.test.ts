import { describe, expect, it } from 'vitest';
import { parseSharedStore, type SharedNode, type SharedStore } from '../../../contract/shared-store.ts';
import { checkNodes } from './nodes.ts';

const NODE: SharedNode = {
  ...{ name: 'a', live: true, version: '1', started_at: null, last_seen_at: '2026-01-01T00:00:00.000Z', duties: ['events'] },
  ...{ same_configuration: true, same_policies: true, chain: null },
};
const CHAIN = { behind_records: 0, head_at: null, silent_seconds: 20, late: false, problem: null };
const OTHER: SharedNode = { ...NODE, name: 'b', duties: [], chain: CHAIN };

const shared = (other: Partial<SharedNode>, more: Partial<SharedStore> = {}): SharedStore => ({
  ...{ waiting_records: 0, waiting_since: null, problem: null },
  nodes: [NODE, { ...OTHER, ...other }],
  ...more,
});
const look = (...given: Parameters<typeof shared>) => checkNodes(shared(...given), 'a');

describe('doctor, about nodes', () => {
  it('names each live one and what it does', () => {
    expect(look({}).map(({ status, message }) => [status, message])).toEqual([
      ['ok', 'nodes: 2 live: a (this node, 1, does events); b (1, all its records are here)'],
    ]);
  });

  it.each<[string, Partial<SharedNode>, Partial<SharedStore>, string]>([
    ['a node that is away', { live: false }, {}, 'warn the node b is away since 2026'],
    ['another version', { version: '2' }, {}, 'warn the node b has version 2, this one 1'],
    ['another configuration', { same_configuration: false }, {}, 'warn the node b has another configuration'],
    ['other policies', { same_policies: false }, {}, 'warn the node b decides by other policies'],
    [
      'records that are not taken',
      { chain: { ...CHAIN, problem: 'record 3 is missing' } },
      {},
      'fail this node does not take the records of b: record 3 is missing',
    ],
    [
      'a head that does not come',
      { chain: { ...CHAIN, late: true, silent_seconds: 600 } },
      {},
      'warn the node b lives, and its newest signed head came 10 minutes ago',
    ],
    ['a store that is away', {}, { problem: 'ECONNREFUSED', waiting_records: 7 }, 'fail the store does not exchange records: ECONNREFUSED; 7 records'],
  ])('%s has a remedy', (_, other, more, expected) => {
    const [, problem, ...rest] = look(other, more);
    expect([`${problem?.status} ${problem?.message}`, problem?.remedy, rest]).toEqual([expect.stringContaining(expected), expect.any(String), []]);
  });

  it('a node that is forgotten is no problem, and neither is a difference of one that is away', () => {
    expect(look({ live: false, last_seen_at: null, version: null, same_policies: false })).toHaveLength(1);
  });

  it('a control plane that does not answer is a warning, and SQLite is none', () => {
    expect([undefined, 'away' as const].map((answer) => checkNodes(answer, 'a').map(({ status }) => status))).toEqual([['warn'], ['warn']]);
    expect(checkNodes(null, 'a')).toEqual([]);
  });
});

describe('the answer of the control plane', () => {
  it('is read strictly', () => {
    const answer = shared({});
    expect(parseSharedStore(JSON.stringify({ shared_store: answer }))).toEqual(answer);
    expect(parseSharedStore('{"shared_store":null}')).toBeNull();
    for (const text of ['', '{}', '{"shared_store":{}}', JSON.stringify({ shared_store: { ...answer, nodes: [{}] } })])
      expect(parseSharedStore(text)).toBeUndefined();
  });
});
