import { expect, it } from 'vitest';
import type { LedgerRecord } from '../../parts/record-words.ts';
import { columnWidths } from './column-widths.ts';

const NONE = { principal: null, on_behalf_of: [], action: null, service: null, method: 'GET', path: '/x', reason: null, policies: [], resource_id: null };
const record = (more: object) => ({ ...NONE, flow_run_id: null, deployment_id: null, ...more }) as unknown as LedgerRecord;

it('gives a column the room of nine rows of ten, within bounds', () => {
  expect(columnWidths([])).toEqual({ '--who': '12fr', '--what': '19fr', '--on': '16fr', '--why': '19fr', '--from': '9fr' });
  const long = record({ principal: 'agent:copilot', on_behalf_of: ['asserted:alice@corp'], action: 'flow_runs.set_state', reason: 'policy-default-deny' });
  expect(columnWidths([record({}), long])).toEqual({ '--who': '24fr', '--what': '19fr', '--on': '16fr', '--why': '19fr', '--from': '9fr' });
  expect(columnWidths([long, ...Array.from({ length: 9 }, () => record({}))])).toMatchObject({ '--who': '12fr', '--why': '19fr' });
  expect(columnWidths([record({ resource_type: 'FlowRun', resource_id: 'x'.repeat(500) })])).toMatchObject({ '--on': '28fr' });
});
