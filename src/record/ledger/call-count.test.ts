import { describe, expect, it } from 'vitest';
import type { RequestRecord } from './access-line.ts';
import { createCallCount } from './call-count.ts';

const TIME = '2026-05-01T10:00:00.000Z';

function record(more: Partial<RequestRecord>): RequestRecord {
  return {
    time: TIME,
    request_id: 'r',
    mode: 'enforce',
    service: 'billing',
    decision: 'allow',
    reason: 'policy-permits',
    status: 200,
    upstream_ms: 3,
    ...more,
  };
}

describe('calls of services in a batch', () => {
  it('are reported by service where the service itself refused one, with the beginning of the last of those', () => {
    const count = createCallCount();
    for (const more of [{}, { status: 401 }, { service: 'vault' }, { service: null, status: 401 }]) count.add(record(more));
    expect(count.counted()).toEqual([{ service: 'billing', refusedMs: Date.parse(TIME) }]);
    count.clear();
    expect(count.counted()).toEqual([]);
  });

  it('are none where the gateway itself refused', () => {
    const count = createCallCount();
    count.add(record({ status: 401, decision: 'deny', reason: 'credential-unknown' }));
    count.add(record({ status: 401, reason: 'service-credential-unavailable' }));
    expect(count.counted()).toEqual([]);
  });
});
