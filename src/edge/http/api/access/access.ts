// GET access, access/matrix and access/unused: who may do what, and which rights nobody used.
import { z } from 'zod';
import { ACCESS_STATES } from '../../../../authorization/explain/matrix.ts';
import { parseDurationSeconds } from '../../../../config/duration.ts';
import { apiRoute } from '../api-route.ts';
import { ABOUT, actionGroup, actionName, PAGE, resourceText, resourceType, review } from './shapes.ts';

const NEEDS = { action: 'access.read' } as const;

const line = z.strictObject({
  principal: z.string(),
  role: z.string().nullable().describe('Null: no single role permits it'),
  scope: z.string().nullable().describe('Of the role; null: everything'),
  allowed: z.boolean(),
  with_approval: z.boolean(),
  reason: z.string(),
  policies: z.array(z.string()).readonly(),
});

const next = z.string().nullable().describe('`cursor` of the next page; null: this is the last one');

const absent = z.string().nullable().describe('Says that Prefect does not have the object; null: it does, or there is no single object');

export const whoCan = apiRoute({
  method: 'GET',
  path: '/access',
  summary: 'List who may do an action, with the role and the policies that permit it, and who may not',
  needs: NEEDS,
  query: z.strictObject({ action: actionName, resource: resourceText.optional(), ...PAGE }),
  answer: z.strictObject({ lines: z.array(line).readonly(), next, absent }),
  handle: ({ query: { cursor, ...question }, ...call }) => review('whoCan', { ...question, after: cursor }, call),
});

const state = z
  .enum(ACCESS_STATES)
  .describe('some: only on objects in a scope, or on some of the types; argument: a policy reads the parameters; unknown: Prefect could not be asked');

const row = z.strictObject({
  id: z.string(),
  kind: z.string(),
  roles: z.array(z.string()).readonly(),
  refused_as: z.string().nullable().describe('Why Lictor refuses each of its requests, such as locked; null: it does not'),
  cells: z.array(state).readonly().describe('One for each column'),
});

export const accessMatrix = apiRoute({
  method: 'GET',
  path: '/access/matrix',
  summary: 'Show the rights of roles or principals: one row each, one column for each action',
  needs: NEEDS,
  query: z.strictObject({
    rows: z.enum(['roles', 'principals']).default('roles'),
    q: z.string().max(200).optional().describe('Only rows with this text in their name'),
    ...ABOUT,
    ...PAGE,
  }),
  answer: z.strictObject({
    columns: z.array(z.strictObject({ action: z.string(), group: actionGroup, resources: z.array(resourceType).readonly() })).readonly(),
    rows: z.array(row).readonly(),
    next,
    absent,
  }),
  handle: ({ query: { rows, q, resource, scope, limit, cursor }, ...call }) =>
    review('matrix', { rows, search: q, about: { resource, scope }, limit, after: cursor }, call),
});

const HOUR_MS = 3_600_000;
const MOST_SECONDS = 400 * 86_400;

const since = z
  .string()
  .max(20)
  .refine((text) => {
    const seconds = parseDurationSeconds(text) ?? 0;
    return seconds > 0 && seconds <= MOST_SECONDS;
  }, 'write 24h, 7d or 90d, at most 400d.')
  .default('90d');

export const unusedRights = apiRoute({
  method: 'GET',
  path: '/access/unused',
  summary: 'List the roles of each principal with the actions that it used in a period',
  needs: NEEDS,
  query: z.strictObject({ since }),
  answer: z.strictObject({
    since: z.string().describe('The period begins with a full hour'),
    counted_to: z
      .string()
      .nullable()
      .describe('Still counting: the requests before this time are counted; ask again. Null: all are, and `lines` is the answer'),
    lines: z
      .array(
        z.strictObject({
          principal: z.string(),
          kind: z.string(),
          role: z.string(),
          scope: z.string().nullable(),
          from: z.array(z.string()).readonly(),
          actions: z.number().describe('How many the role permits, beyond those of every principal'),
          used: z.array(z.string()).readonly(),
          unused_groups: z.array(z.string()).readonly(),
          requests: z.number(),
          last_request: z.string().nullable(),
          would_suffice: z.string().nullable().describe('The smallest built-in role with all used actions; null: none was used, or no single role has all'),
        }),
      )
      .readonly(),
  }),
  handle({ query, ...call }) {
    // The same period for some time, so that the next question goes on counting.
    const sinceMs = Math.floor((call.parts.clock() - (parseDurationSeconds(query.since) ?? 0) * 1000) / HOUR_MS) * HOUR_MS;
    return review('unused', { since: new Date(sinceMs).toISOString() }, call);
  },
});
