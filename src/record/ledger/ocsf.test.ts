import { describe, expect, it } from 'vitest';
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import { completeRecord } from './append.ts';
import { COLUMNS } from './columns.ts';
import { ocsfEvent } from './ocsf.ts';

function record(more: Partial<NewRecord>): LedgerRecord {
  return { ...completeRecord({ time: '2026-03-01T12:00:00.500Z', ...more }, { id: 'an-id', node: 'n1' }), seq: 7, prev_hash: 'p', hash: 'h' };
}

describe('OCSF', () => {
  it('is API activity for a request, with who, from where, what and how it ended', () => {
    const event = ocsfEvent(
      record({
        request_id: 'r1',
        principal: 'bob@corp',
        principal_kind: 'user',
        idp: 'corp',
        session_id: 's1',
        source_ip: '10.0.0.7',
        user_agent: 'curl',
        method: 'DELETE',
        path: '/api/flows/1',
        action: 'flows.delete',
        resource_type: 'Flow',
        resource_id: '1',
        decision: 'deny',
        reason: 'policy-default-deny',
        policies: [],
        status: 403,
        bytes: 10,
        duration_ms: 2.4,
        flow_run_id: 'run',
      }),
    );
    expect(event).toMatchObject({
      metadata: { version: '1.6.0', uid: 'an-id', sequence: 7, correlation_uid: 'r1' },
      ...{
        time: 1_772_366_400_500,
        class_uid: 6003,
        category_uid: 6,
        activity_id: 4,
        type_uid: 600_304,
        severity_id: 2,
        status_id: 2,
        status_code: '403',
        status_detail: 'policy-default-deny',
        duration: 2,
      },
      actor: { user: { uid: 'bob@corp', type_id: 1 }, session: { uid: 's1' }, idp: { name: 'corp' } },
      src_endpoint: { ip: '10.0.0.7' },
      http_request: { http_method: 'DELETE', user_agent: 'curl', url: { path: '/api/flows/1' } },
      http_response: { code: 403, length: 10 },
      api: { operation: 'flows.delete', service: { name: 'prefect' } },
      resources: [{ type: 'Flow', uid: '1' }],
      unmapped: { action: 'flows.delete', flow_run_id: 'run', prev_hash: 'p', hash: 'h', node: 'n1' },
    });
  });

  it.each<[string, number, number]>([
    ['session.login', 3002, 1],
    ['session.logout', 3002, 2],
    ['session.refresh', 3002, 99],
    ['token.create', 3001, 1],
    ['account.remove', 3001, 6],
    ['lock.create', 3001, 1],
    ['gateway.started', 6002, 3],
    ['config.reload', 6002, 99],
    ['requests.summary', 6003, 99],
  ])('%s is of class %i, activity %i', (action, uid, activity) => {
    expect(ocsfEvent(record({ action }))).toMatchObject({ class_uid: uid, activity_id: activity, type_uid: uid * 100 + activity, status_id: 1 });
  });

  it('has no null, and loses no field that has a value', () => {
    const every = Object.fromEntries(
      Object.entries(COLUMNS).map(([name, kind]) => [name, kind === 'list' ? [`the ${name}`] : kind === 'text' ? `the ${name}` : 4]),
    );
    const text = JSON.stringify(
      ocsfEvent({
        ...(every as unknown as LedgerRecord),
        time: '2026-03-01T12:00:00.500Z',
        decision: 'deny',
        principal_kind: 'user',
        run_binding: 'verified',
        mode: 'enforce',
        path_taken: 'direct',
      }),
    );
    expect(text).not.toContain('null');
    for (const [name, kind] of Object.entries(COLUMNS))
      if (kind === 'text' && !['time', 'decision', 'principal_kind', 'run_binding', 'mode', 'path_taken'].includes(name))
        expect(text, name).toContain(`the ${name}`);
  });
});
