// GET timeline/{id}: the rows that `lictor timeline` prints, page by page, then what was written since.
import { z } from 'zod';
import { parseUuid } from '../../../../contract/json/uuid.ts';
import { parseCursor } from '../../../../record/timeline/pages/cursor.ts';
import type { TimelinePage } from '../../../../record/timeline/pages/head.ts';
import { apiRoute, type CallContext, type Result } from '../api-route.ts';
import { answerOf, pageSize } from './answer.ts';
import { runHead, timelineRow } from './schemas.ts';
import { isReadable, isSeenRow, runsIn, seenHead, seenRuns, seesNames } from './sight.ts';

const MOST_ROWS = 5_000;
const PAGE = 500;

const page = z.strictObject({
  run: runHead.nullable().describe('Null: nothing about the run itself has changed'),
  rows: z.array(timelineRow).readonly(),
  next: z.string().nullable().describe('The cursor of the next page, which exists now; null: this was the last one'),
  live: z.string().describe('The cursor of what is written after this answer'),
});

type Page = z.output<typeof page>;

const query = z.strictObject({
  cursor: z
    .string()
    .max(100)
    .refine((text) => parseCursor(text) !== undefined, 'a cursor of an earlier answer: `next` or `live`.')
    .optional(),
  limit: pageSize(MOST_ROWS),
});

export const timeline = apiRoute({
  method: 'GET',
  path: '/timeline/{id}',
  summary: 'Show the timeline of a flow run',
  needs: 'records',
  params: z.strictObject({ id: z.string().max(200).describe('The id of the flow run, or its name') }),
  query,
  answer: page,
  async handle({ params, query: { cursor, limit = PAGE }, ...context }) {
    const isNamed = parseUuid(params.id) === undefined;
    // A limited reader asks by ids: a name would say which runs of others there are.
    if (isNamed && !context.reader.everything) return { ok: false, code: 'not-found' };
    const question = { run: params.id, most: limit, cursor: cursor === undefined ? undefined : parseCursor(cursor), seesNames: await seesNames(context) };
    const { runPages, prefectRuns } = context.parts;
    return answerOf(context.parts, async () =>
      seenPage(await runPages.timeline(question, prefectRuns, context.authorization.principal.id), context, params.id),
    );
  },
});

async function seenPage(found: TimelinePage, context: CallContext, asked: string): Promise<Result<Page>> {
  if (context.reader.everything) return { ok: true, body: { ...found, run: await shownHead(found, context) } };
  const seen = await seenRuns(context, [parseUuid(asked) ?? '', ...runsIn(found.run, found.rows)]);
  if (!seen.has(parseUuid(asked) ?? '')) return { ok: false, code: 'not-found' };
  const rows = found.rows.filter((row) => isSeenRow(row, seen));
  return { ok: true, body: { ...found, rows, run: await shownHead({ run: found.run && seenHead(found.run, seen) }, context) } };
}

async function shownHead({ run }: Pick<TimelinePage, 'run'>, context: CallContext): Promise<Page['run']> {
  return run === null ? null : { ...run, readable: await isReadable(context, run.id) };
}
