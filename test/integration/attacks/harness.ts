// What every attack test needs: a gateway before a recording upstream, tokens, and the proof that nothing came through.
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { selfSigned } from '../../env/certificate.ts';
import { type Gateway, type GatewayOptions, startGateway } from '../../env/gateway.ts';
import type { RawAnswer } from '../../env/raw-request.ts';
import { type Recorded, type Recorder, startRecorder } from '../../env/upstream-recorder.ts';

export interface Harness {
  readonly gateway: Gateway;
  readonly recorder: Recorder;
  /** Service tokens by role. */
  readonly admin: string;
  readonly viewer: string;
  readonly operator: string;
}

export interface HarnessOptions extends Omit<GatewayOptions, 'upstream' | 'tls'> {
  /** https, with a certificate that nobody signed. */
  readonly secure?: boolean;
}

/** Registers start and end; call at the top of a test file. Read its fields inside tests only. */
export function useHarness({ secure = false, ...options }: HarnessOptions = {}): Harness {
  let parts: Harness | undefined;
  const started = (): Harness => {
    if (parts === undefined) throw new Error('the harness is there inside tests only');
    return parts;
  };
  beforeAll(async () => {
    const recorder = await startRecorder();
    const gateway = await startGateway({ ...options, upstream: recorder, ...(secure && { tls: await selfSigned() }) });
    const [admin, viewer, operator] = await Promise.all(['admin', 'viewer', 'operator'].map(async (role) => (await gateway.token(`t-${role}`, [role])).secret));
    if (admin === undefined || viewer === undefined || operator === undefined) throw new Error('no tokens');
    parts = { gateway, recorder, admin, viewer, operator };
  });
  beforeEach(() => started().recorder.clear());
  afterAll(async () => {
    await parts?.gateway.close();
    await parts?.recorder.close();
  });
  return {
    get gateway() {
      return started().gateway;
    },
    get recorder() {
      return started().recorder;
    },
    get admin() {
      return started().admin;
    },
    get viewer() {
      return started().viewer;
    },
    get operator() {
      return started().operator;
    },
  };
}

/** Nothing reached the upstream since the test began. */
export function expectNothingUpstream(harness: Harness): void {
  expect(harness.recorder.seen().map(({ method, target }) => `${method} ${target}`)).toEqual([]);
}

/** Requests that reached the upstream and could change something; the gateway's own looks at an object (GET) are not among them. */
export function writesSeen(harness: Harness): readonly Recorded[] {
  return harness.recorder.seen().filter(({ method }) => method !== 'GET');
}

/** For mediated writes: the gateway may have looked at the object, but forwarded nothing. */
export function expectNothingWritten(harness: Harness): void {
  expect(writesSeen(harness).map(({ method, target }) => `${method} ${target}`)).toEqual([]);
}

/** A JSON refusal of the gateway's own making, whole. */
export async function expectRefusal(response: Response, status: number, code: string): Promise<void> {
  const body = await response.text();
  expect(response.status, body).toBe(status);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  const refusal: unknown = JSON.parse(body);
  expect(refusal).toEqual({ detail: expect.stringMatching(/./), code, hint: expect.any(String), request_id: expect.stringMatching(/./) });
  expect(response.headers.get('x-request-id')).toBe(requestIdIn(refusal));
  if (status === 401) expect(response.headers.get('www-authenticate')).not.toBeNull();
}

/** Exactly one answer came back on a raw connection, with this status. */
export function expectStatus(answer: RawAnswer, status: number, what: string): void {
  expect(answer.statuses, `${what}\n${answer.text}`).toEqual([status]);
}

/** `Authorization` line for raw requests. */
export function bearerLine(token: string): string {
  return `Authorization: Bearer ${token}`;
}

function requestIdIn(refusal: unknown): unknown {
  return typeof refusal === 'object' && refusal !== null && 'request_id' in refusal ? refusal.request_id : undefined;
}
