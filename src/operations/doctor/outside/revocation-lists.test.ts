import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ClientAuthority, createClientAuthority } from '../../../../test/env/client-authority.ts';
import { checkRevocationLists } from './revocation-lists.ts';

const DAY_MS = 86_400_000;
let authority: ClientAuthority;
beforeAll(() => {
  authority = createClientAuthority();
});
afterAll(() => authority?.remove());

it.each([
  [0, 'ok', /valid until/],
  [29, 'warn', /expires on/],
  [31, 'fail', /rejects every client certificate/],
] as const)('after %i of thirty days: %s', (days, status, message) => {
  expect(checkRevocationLists(authority.crlFile, Date.now() + days * DAY_MS)).toMatchObject({ status, message: expect.stringMatching(message) });
});

it.each(['/nonexistent', import.meta.filename])('what is no list fails: %s', (file) => {
  expect(checkRevocationLists(file, 0)).toMatchObject({ status: 'fail' });
});
