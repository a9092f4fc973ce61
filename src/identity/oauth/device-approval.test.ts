// Until when a login of the command line that a person allows lasts at most.
import { expect, it } from 'vitest';
import { createDeviceApproval, type DeviceApproval, type DeviceApprovalParts } from './device-approval.ts';

type Prepared = Parameters<DeviceApproval['prepare']>;
const SESSION: Prepared[1] = {
  ...{ id: 's1', idpSession: null, refreshAfterMs: null, createdMs: 0, lastSeenMs: 0, expiresMs: 50_000 },
  owner: { kind: 'identity', word: 'w', identityId: 'i1', identity: { idp: 'corp', subject: 's', name: 'alice', kind: 'user', groups: [], claims: {} } },
};
const CODE = { clientId: 'lictor-cli', scopes: [], audience: 'api' } as unknown as Prepared[0];

function endOf(absoluteSeconds: number, lifeMs = 100_000): number {
  const parts = { clients: [], clock: () => 1000, lifeMs, sessionLimits: { absoluteSeconds } } as unknown as DeviceApprovalParts;
  return createDeviceApproval(parts).prepare(CODE, SESSION, undefined).expiresMs;
}

it('on a browser session: is valid as long as the session, by its present limit', () => {
  expect(endOf(60)).toBe(50_000);
  expect(endOf(40)).toBe(40_000);
  expect(endOf(40, 9000)).toBe(10_000);
});
