import { describe, expect, it } from 'vitest';
import { isOlder } from '../../contract/release.ts';
import { OPERATIONS } from './operations.ts';
import { operationsOf } from './versions.ts';
import { holesOf } from './virtual-patches.ts';

const names = (version: string): readonly string[] => operationsOf(version).map(({ operationId }) => operationId);

describe('the routes of a release', () => {
  it('are all for the newest, for a later one, and for one without a version', () => {
    for (const version of ['3.9.1', '3.10.0', '4.0.0', '', 'dev']) expect(operationsOf(version)).toEqual(OPERATIONS);
  });

  it('lack later routes, and have removed routes, which Lictor denies', () => {
    expect(names('3.9.0')).not.toContain('read_observed_states_observed_states_get');
    expect(names('3.6.16')).toContain('bulk_delete_flows_flows_bulk_delete_post');
    expect(names('3.6.15')).not.toContain('bulk_delete_flows_flows_bulk_delete_post');
    const former = operationsOf('3.6.15').filter((operation) => !OPERATIONS.includes(operation));
    expect(former.map(({ path, taken }) => `${path} ${taken}`)).toContain('/api/admin/database/drop deny');
    expect(operationsOf('3.6.16').every((operation) => OPERATIONS.includes(operation))).toBe(true);
  });

  it.each([
    ['3.6.9', '3.6.16', true],
    ['3.6.16', '3.6.16', false],
    ['3.10.0', '3.9.1', false],
    ['2.99.99', '3.0.0', true],
    ['3.9.0.dev1+5.gabc', '3.9.0', false],
    ['x', '3.9.0', undefined],
  ])('%s is older than %s: %s', (version, other, answer) => {
    expect(isOlder(version, other)).toBe(answer);
  });

  it('omit problems that were fixed later', () => {
    expect(holesOf('3.6.13').map(({ cve }) => cve)).toEqual(['CVE-2026-7723', 'CVE-2026-3514', 'CVE-2026-5366', 'PrefectHQ/prefect#22252']);
    expect(holesOf('3.7.4').map(({ cve }) => cve)).toEqual(['PrefectHQ/prefect#22252']);
    expect(holesOf('3.7.5')).toEqual([]);
    expect(holesOf('3.9.1')).toEqual([]);
    expect(holesOf('unknown')).toHaveLength(4);
  });
});
