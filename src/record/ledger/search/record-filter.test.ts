// The records that a reader with limits sees.
import { describe, expect, it } from 'vitest';
import type { LedgerRecord } from '../../../contract/record.ts';
import { EVERY_RECORD, NO_RECORD, type RecordReader } from '../../../contract/record-reader.ts';
import { NOWHERE } from '../../../contract/scope.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import { uuid } from '../prefect-events/event.fixture.ts';
import { createRecordFilter } from './record-filter.ts';

const RESTRICTION = { principalId: 'bob@corp', scopes: [{ ...NOWHERE, tags: ['team-a'] }] };
const TEAM: RecordReader = { everything: false, runs: [RESTRICTION], objects: [RESTRICTION] };
const UNSCOPED: RecordReader = { everything: false, runs: [], objects: [] };
const [OWN, FOREIGN, DEPLOYMENT] = [uuid(1), uuid(2), uuid(3)];
const covered: VisibleIds = async (_type, ids) => new Set(ids.filter((id) => [OWN, DEPLOYMENT, 'pool-a'].includes(id)));

const record = (more: Partial<LedgerRecord>) =>
  ({ resource_type: null, resource_id: null, flow_run_id: null, deployment_id: null, run_binding: 'none', ...more }) as LedgerRecord;
const isSeen = async (reader: RecordReader, more: Partial<LedgerRecord>) => (await createRecordFilter(reader, covered).visible([record(more)])).length === 1;

describe('a reader of a team sees a record', () => {
  it.each<[string, Partial<LedgerRecord>]>([
    ['about its run', { resource_type: 'FlowRun', resource_id: OWN }],
    ['about its run in another spelling', { resource_type: 'FlowRun', resource_id: OWN.replaceAll('-', '').toUpperCase() }],
    ['that its run sent', { resource_type: 'Variable', flow_run_id: OWN, run_binding: 'verified' }],
    ['about its deployment', { deployment_id: DEPLOYMENT, run_binding: 'verified' }],
    ['about its work pool', { resource_type: 'WorkPool', resource_id: 'pool-a' }],
    ['about a flow, by its run', { resource_type: 'Flow', resource_id: FOREIGN, flow_run_id: OWN, run_binding: 'verified' }],
  ])('%s', async (_what, more) => {
    expect(await isSeen(TEAM, more)).toBe(true);
    expect(await isSeen(NO_RECORD, more)).toBe(false);
  });

  it.each<[string, Partial<LedgerRecord>]>([
    ['a foreign run', { resource_type: 'FlowRun', resource_id: FOREIGN }],
    ['a foreign run that claims to be its own', { resource_type: 'FlowRun', resource_id: FOREIGN, flow_run_id: OWN, run_binding: 'asserted' }],
    ['a list, claimed for its deployment', { resource_type: 'FlowRun', deployment_id: DEPLOYMENT, run_binding: 'asserted' }],
    ['a foreign object, by its run', { resource_type: 'BlockDocument', resource_id: FOREIGN, flow_run_id: OWN, run_binding: 'verified' }],
    ['its run, by a foreign run', { resource_type: 'FlowRun', resource_id: OWN, flow_run_id: FOREIGN, run_binding: 'verified' }],
    ['its run, with a claimed foreign run', { resource_type: 'FlowRun', resource_id: OWN, flow_run_id: FOREIGN, run_binding: 'asserted' }],
    ['no object', { resource_type: 'FlowRun' }],
    ['the gateway', { resource_type: 'System' }],
    ['a token with the id of its run', { resource_type: 'Token', resource_id: OWN }],
    ['a flow, which teams share', { resource_type: 'Flow', resource_id: OWN }],
    ['a service', { resource_type: 'Service', resource_id: OWN }],
    ['a kind named like a property', { resource_type: 'constructor', resource_id: OWN }],
  ])('but not about %s', async (_what, more) => {
    expect(await isSeen(TEAM, more)).toBe(false);
    expect(await isSeen(EVERY_RECORD, more)).toBe(true);
  });

  it('of the kinds that it has the right on', async () => {
    const runs: RecordReader = { ...TEAM, objects: null };
    expect(await isSeen(runs, { resource_type: 'FlowRun', resource_id: OWN })).toBe(true);
    expect(await isSeen(runs, { deployment_id: DEPLOYMENT, run_binding: 'verified' })).toBe(false);
  });

  it('about any object, with a right on all objects, and none about the gateway', async () => {
    expect(await isSeen(UNSCOPED, { resource_type: 'FlowRun', resource_id: FOREIGN })).toBe(true);
    expect(await isSeen(UNSCOPED, { resource_type: 'System' })).toBe(false);
    expect(await isSeen(UNSCOPED, { resource_type: 'Token', resource_id: 'x' })).toBe(false);
  });
});
