// For tests: the gateway's app with a separate store. Requests look like those of nginx.
import { afterEach, beforeEach } from 'vitest';
import type { Verdict } from '../../authorization/mediate/conditions.ts';
import type { Clock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { INPUT } from '../../contract/names.ts';
import { CONFIRM_LIMITS, createConfirmMemory } from '../../identity/authn/external/confirm.ts';
import { openTestStore } from '../../identity/authn/store.fixture.ts';
import type { Question } from '../../record/ledger/search/questions.ts';
import type { ApiRoute } from './api/api-route.ts';
import { createPolicyWork } from './api/policies/policy-work.fixture.ts';
import type { OwnAppParts } from './own-app.ts';

import { buildApp } from './own-app-build.fixture.ts';
import { CLI_LIFE_MS, type Given, type World } from './own-app-world.fixture.ts';

export { CLI_LIFE_MS, CONFIG, type World } from './own-app-world.fixture.ts';

export const PASSWORD = 'correct horse';
/** The hash of PASSWORD at the lowest cost, so that a check is fast. */
const PHC = '$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiBhIHRlc3QuLg$nobR2o2xeWTurFtnT39aBrZqNLEx7m9cGt3lpegYjU0';
/** The Accept header of a browser's navigation. */
export const HTML = { accept: 'text/html,application/xhtml+xml' };

export interface Ask {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  readonly session?: string;
  readonly sameOrigin?: boolean;
  /** A page of another site sends the request. */
  readonly foreignOrigin?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

const NO_RUNS: OwnAppParts['runPages'] = {
  recent: async () => ({ runs: [], before: null }),
  timeline: () => Promise.reject(new LictorError('run-unknown', 'none here')),
};

const EMPTY_LEDGER: Readonly<Record<Question['kind'], unknown>> = {
  page: { records: [], unknown: null },
  changes: { records: [], number: 0 },
  record: null,
  principals: [],
  chain: { state: 'unsigned', signed_at: null, head: null, chains: [] },
};

/** `start`: the start time of the clock in each test. */
export function useOwnApp({ start, apiRoutes }: { readonly start?: Clock; readonly apiRoutes?: readonly ApiRoute[] } = {}) {
  const world: { current: World | undefined } = { current: undefined };
  let configured: Given = {};
  const more = apiRoutes === undefined ? {} : { apiRoutes };
  /** Built at the first request, because most tests change the configuration before. */
  let app: ReturnType<typeof buildApp> | undefined;
  const get = (): World => {
    if (world.current === undefined) throw new Error('outside of a test');
    return world.current;
  };
  const built = (): ReturnType<typeof buildApp> => {
    app ??= buildApp(get, { ...more, ...configured });
    return app;
  };
  /** The same environment with another configuration. */
  const reconfigure = (given: Given): void => {
    configured = given;
    app = undefined;
  };

  beforeEach(async () => {
    const test = await openTestStore(start?.());
    await test.store.accounts.create({ id: '1', name: 'alice', roles: ['admin'], password: PHC });
    const created = { status: 201, headers: { 'content-type': 'application/json', 'x-extra': 'yes' }, body: Buffer.from('{"id":1}') };
    const none = { records: [], mediated: [], logged: [], endings: [], searched: [], askers: [], sockets: [] };
    const empty = {
      ...none,
      test,
      phc: PHC,
      syncs: 0,
      ledgerBroken: false,
      cliLifeMs: CLI_LIFE_MS,
      confirmWaitMs: CONFIRM_LIMITS.waitMs,
      found: async () => [],
      covered: [],
      runPages: NO_RUNS,
      unknown: null,
      stoppedAt: undefined,
      answer: async ({ kind }: Question) => EMPTY_LEDGER[kind],
      retired: new AbortController(),
      mediatorAnswer: async () => created,
      charge: async (): Promise<Verdict> => ({ ok: true }),
      policyWork: createPolicyWork(),
    };
    const confirmMemory = createConfirmMemory();
    reconfigure({});
    world.current = {
      ...empty,
      confirmMemory,
      get app() {
        return built().app;
      },
      get authenticator() {
        return built().authenticator;
      },
    };
  });
  afterEach(async () => {
    get().retired.abort();
    await app?.app.close();
    await get().test.close();
  });

  const ask = (url: string, { method = 'GET', session = '', sameOrigin = false, foreignOrigin = false, headers = {}, body }: Ask = {}) => {
    const inputs = {
      [INPUT.requestId]: 'request-1',
      [INPUT.address]: '192.0.2.1',
      [INPUT.session]: session,
      [INPUT.sameOrigin]: sameOrigin ? '1' : foreignOrigin ? '0' : '',
      [INPUT.method]: method,
    };
    return get().app.inject({ method, url, headers: { ...inputs, ...headers }, ...(body !== undefined && { payload: body }) });
  };
  const post = (url: string, form: Readonly<Record<string, string>>, more: Ask = {}) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...HTML, ...more.headers };
    return ask(url, { sameOrigin: true, ...more, method: 'POST', headers, body: new URLSearchParams(form).toString() });
  };
  const logIn = (form: Readonly<Record<string, string>> = {}, more: Ask = {}) =>
    post('/.lictor/login', { username: 'alice', password: PASSWORD, ...form }, more);
  const me = async (session: string): Promise<number> => (await ask('/.lictor/api/v1/me', { session })).statusCode;
  return { get, reconfigure, ask, post, logIn, me };
}

export function cookieOf(answer: { readonly headers: Readonly<Record<string, unknown>> }): string {
  return /^lictor=([^;]*)/.exec(String([answer.headers['set-cookie'] ?? []].flat()[0] ?? ''))?.[1] ?? '';
}
