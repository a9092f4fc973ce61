import { describe, expect, it } from 'vitest';
import { isTemporary, NO_ANSWER, needsFreshLogin, needsLogin, Problem, problemOf, waitMs } from './problem.ts';

const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers: new Headers(headers) });

describe('a problem', () => {
  it('has the four fields of a refusal', () => {
    const problem = problemOf(answer(403), { detail: 'Not permitted.', code: 'policy', hint: 'Ask for a role.', request_id: 'r1' });
    expect(problem).toMatchObject({ status: 403, message: 'Not permitted.', code: 'policy', hint: 'Ask for a role.', requestId: 'r1' });
  });

  it.each([undefined, null, '<html>', 7, { detail: 7, code: {} }])('is whole when the body is %j', (body) => {
    const problem = problemOf(answer(502, { 'x-request-id': 'r2' }), body);
    expect(problem).toMatchObject({ status: 502, message: 'The gateway answered 502.', code: 'status-502', hint: '', requestId: 'r2' });
  });

  it('is waited for as long as the answer says', () => {
    expect(waitMs(5, problemOf(answer(429, { 'retry-after': '2' }), {}))).toBe(2000);
    expect(waitMs(0, problemOf(answer(503, { 'retry-after': 'soon' }), {}))).toBe(1000);
    expect([0, 1, 2, 9].map((attempt) => waitMs(attempt, new Problem(NO_ANSWER)))).toEqual([1000, 2000, 4000, 30_000]);
  });

  it.each([0, 429, 502, 503, 504])('of status %i may pass', (status) => {
    expect(isTemporary(new Problem({ ...NO_ANSWER, status }))).toBe(true);
  });

  it.each([400, 401, 403, 404, 409, 422, 500])('of status %i does not pass', (status) => {
    expect(isTemporary(new Problem({ ...NO_ANSWER, status }))).toBe(false);
  });

  it('needs a login with 401 alone, and a fresh one by its code alone', () => {
    expect([401, 403].map((status) => needsLogin(problemOf(answer(status), {})))).toEqual([true, false]);
    expect(['login-not-recent', 'policy'].map((code) => needsFreshLogin(problemOf(answer(403), { code })))).toEqual([true, false]);
  });
});
