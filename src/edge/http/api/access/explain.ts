// GET explain and POST explain/request: the decision about any principal. The same below explain/mine: about the principal that asks.
import { z } from 'zod';
import { apiRoute } from '../api-route.ts';
import { askerOf, search } from '../audit/search-ledger.ts';
import { record } from '../record-schema.ts';
import { ABOUT, actionName, explained, pasted, principalName, resourceText, review } from './shapes.ts';

const NEEDS = { action: 'access.read' } as const;
/** Of an action. */
const QUESTION = { action: actionName, resource: resourceText.optional() };

export const explainAccess = apiRoute({
  method: 'GET',
  path: '/explain',
  summary: 'Explain whether a principal may do an action: policies, facts, and what would change the answer',
  needs: NEEDS,
  query: z.strictObject({ principal: principalName, ...QUESTION, scope: ABOUT.scope }),
  answer: explained,
  handle: ({ query: { principal, action, resource, scope }, ...call }) =>
    review('explain', { who: { name: principal }, action, resource, about: { scope } }, call),
});

export const explainRecord = apiRoute({
  method: 'GET',
  path: '/explain/requests/{id}',
  summary: 'Explain a recorded request: its record, and the same question decided now',
  needs: 'records',
  params: z.strictObject({
    id: z
      .string()
      .regex(/^[0-9a-f]{32}(?:\.\d+)?$/, 'a request id has 32 hexadecimal digits: X-Request-Id of the answer.')
      .describe('X-Request-Id of the answer'),
  }),
  answer: z.strictObject({ record, now: explained.nullable(), changed: z.boolean(), notes: z.array(z.string()).readonly() }),
  async handle({ params: { id: request }, ...call }) {
    const { parts, reader } = call;
    const found = await search(parts, () => parts.ledgerSearch.page({ filter: { request, limit: 1 }, reader }, askerOf(call)));
    if (!found.ok) return found;
    const [first] = found.answer.records;
    if (first === undefined) return { ok: false, code: 'not-found', detail: NO_REQUEST };
    const limited = !(await parts.decider.authorizeOwn(call.inputs, NEEDS.action)).ok;
    return review('record', { record: first, limited }, call);
  },
});

const NO_REQUEST = 'There is no record of such a request (yet), or it is about an object that your scopes do not include.';

export const explainMine = apiRoute({
  method: 'GET',
  path: '/explain/mine',
  summary: 'Explain whether you may do an action',
  needs: 'credential',
  query: z.strictObject(QUESTION),
  answer: explained,
  handle: ({ query: { action, resource }, ...call }) => review('explain', { who: { self: call.authorization.principal }, action, resource, about: {} }, call),
});

export const explainPasted = apiRoute({
  method: 'POST',
  isRead: true,
  path: '/explain/request',
  summary: 'Explain the answer to a pasted request of a principal',
  needs: NEEDS,
  bodyLimit: 64 * 1024,
  body: z.strictObject({ principal: principalName, request: pasted }),
  answer: explained,
  handle: ({ body: { principal, request }, ...call }) => review('request', { who: { name: principal }, text: request }, call),
});

export const explainMyRequest = apiRoute({
  method: 'POST',
  isRead: true,
  path: '/explain/mine/request',
  summary: 'Explain the answer to a pasted request of yours',
  needs: 'credential',
  bodyLimit: 64 * 1024,
  body: z.strictObject({ request: pasted }),
  answer: explained,
  handle: ({ body: { request }, ...call }) => review('request', { who: { self: call.authorization.principal }, text: request }, call),
});
