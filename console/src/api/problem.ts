// What went wrong with a request to the API, and what the console does about it.

/** The four fields of every refusal, and what the console must know beside them. */
export class Problem extends Error {
  /** 0: no answer came. */
  readonly status: number;
  /** `login-not-recent`; `no-answer` when none came. */
  readonly code: string;
  readonly hint: string;
  readonly requestId: string;
  /** Of `Retry-After`. Null: the answer has none. */
  readonly retryAfterSeconds: number | null;

  constructor({ status, code, detail, hint, requestId, retryAfterSeconds }: ProblemFields) {
    super(detail);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.requestId = requestId;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

interface ProblemFields {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  readonly requestId: string;
  readonly retryAfterSeconds: number | null;
}

export const NO_ANSWER: ProblemFields = {
  status: 0,
  code: 'no-answer',
  detail: 'The gateway does not answer.',
  hint: 'The console tries again.',
  requestId: '',
  retryAfterSeconds: null,
};

/** Of an answer that is an error. A proxy in front may send a body of any form. */
export function problemOf(response: Pick<Response, 'status' | 'headers'>, body: unknown): Problem {
  const fields: Readonly<Record<string, unknown>> = typeof body === 'object' && body !== null ? { ...body } : {};
  const text = (name: string, otherwise: string): string => (typeof fields[name] === 'string' ? fields[name] : otherwise);
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new Problem({
    status: response.status,
    code: text('code', `status-${response.status}`),
    detail: text('detail', `The gateway answered ${response.status}.`),
    hint: text('hint', ''),
    requestId: text('request_id', response.headers.get('x-request-id') ?? ''),
    retryAfterSeconds: Number.isFinite(seconds) && seconds >= 0 ? seconds : null,
  });
}

/** The session has ended or is of another person: only a login helps. */
export function needsLogin(error: unknown): boolean {
  return error instanceof Problem && error.status === 401;
}

/** The action is permitted, but not with a login of so long ago. */
export function needsFreshLogin(error: unknown): boolean {
  return error instanceof Problem && error.code === 'login-not-recent';
}

/** The same request may succeed later. */
export function isTemporary(error: unknown): boolean {
  return error instanceof Problem && [0, 429, 502, 503, 504].includes(error.status);
}

const LONGEST_WAIT_MS = 30_000;

/** What the answer says, else 1 s, 2 s, 4 s ... `attempt` counts from 0. */
export function waitMs(attempt: number, error: unknown): number {
  const said = error instanceof Problem ? error.retryAfterSeconds : null;
  return said === null ? Math.min(1000 * 2 ** attempt, LONGEST_WAIT_MS) : Math.max(said * 1000, 500);
}
