// GET runs: the flow runs that the ledger has seen, the newest first.
import { z } from 'zod';
import { apiRoute } from '../api-route.ts';
import { answerOf, pageSize } from './answer.ts';
import { recentRun } from './schemas.ts';
import { seenRuns, seesNames } from './sight.ts';

const STATES = ['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'] as const;
const MOST_RUNS = 200;
const PAGE = 50;
/** After every time. */
const END = '9';

export const runs = apiRoute({
  method: 'GET',
  path: '/runs',
  summary: 'List the flow runs that the ledger has seen, the newest first',
  needs: 'records',
  query: z.strictObject({
    text: z.string().max(200).optional().describe('The exact name, or the start of the id; part of the name, if you may read these runs in Prefect'),
    state: z.enum(STATES).optional().describe('The type of the newest state'),
    before: z
      .string()
      .regex(/^[0-9T:.Z~-]{1,40}$/, '`next` of an earlier answer.')
      .optional(),
    limit: pageSize(MOST_RUNS),
  }),
  answer: z.strictObject({
    runs: z.array(recentRun).readonly(),
    next: z.string().nullable().describe('The value of `before` for the next page; null: this was the last one'),
  }),
  async handle({ query: { text = '', state = '', before = END, limit = PAGE }, ...context }) {
    const names = await seesNames(context);
    // Without the right to see names, a search by parts of names would say what they are. An exact name is one that the caller knows.
    const named = names || text === '' || before !== END ? null : text;
    const question = { text, state, before, most: limit, seesNames: names, byName: names, named };
    const seeing = context.reader.everything ? undefined : (ids: readonly string[]) => seenRuns(context, ids);
    return answerOf(context.parts, async () => {
      const { runs: found, before: next } = await context.parts.runPages.recent(question, context.authorization.principal.id, seeing);
      return { ok: true, body: { runs: found, next } };
    });
  },
});
