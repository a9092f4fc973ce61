import { expect, it } from 'vitest';
import { createDoctorRecords } from './doctor-records.ts';
import type { LedgerRecord } from './record.ts';

const at = (minute: number): string => new Date(Date.UTC(2026, 2, 1, 12, minute)).toISOString();

function made(rules: readonly string[], time = at(0)): LedgerRecord {
  const grants = rules.map((rule) => ({ expires_at: at(2), members: [], networks: [], role: 'viewer', rules: [rule], scope: null }));
  return { time, principal: 'local:root', action: 'token.create', resource_type: 'ServiceToken', resource_id: 'doctor-1', grants } as unknown as LedgerRecord;
}

const use = (minute: number) => ({ time: at(minute), principal: 'token:doctor-1', action: 'flows.read', resource_type: 'Flow' }) as LedgerRecord;

it("has the creation and the uses of doctor's token until its end", () => {
  const doctors = createDoctorRecords();
  expect([use(0), made(['lictor doctor', 'lictor doctor']), use(1), use(3)].map((record) => doctors.has(record))).toEqual([false, true, true, false]);
});

it.each([
  ['of another command', [made(['token doctor-1'])]],
  ['with no rights', [made([])]],
  ['with another right beside', [made(['lictor doctor', 'line 3'])]],
  ['that is a later one of the name', [made(['lictor doctor']), made(['token doctor-1'], at(1))]],
])('twin: has no token %s', (_, created) => {
  const doctors = createDoctorRecords();
  for (const record of created) doctors.has(record);
  expect(doctors.has(use(1))).toBe(false);
});
