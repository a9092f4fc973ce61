// GET stream: new records as server-sent events, from a cursor on. Narrowed to the reader's scopes; ends when its right ends.
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { RecordReader } from '../../../contract/record-reader.ts';
import type { Changes } from '../../../record/ledger/query.ts';
import type { ChangesQuestion } from '../../../record/ledger/search/questions.ts';
import { apiRoute, type CallContext } from './api-route.ts';
import { AUDIT_FILTER, filterOf } from './audit/query.ts';
import { askerOf, search, seesNames } from './audit/search-ledger.ts';
import { RECORD_ID } from './audit/words.ts';
import { liveEvents } from './live-events.ts';
import { authorizeReading } from './reading.ts';

const RECORD_ID_TEXT = z.string().refine((text) => RECORD_ID.parse(text, 0) !== undefined, RECORD_ID.hint);

export const stream = apiRoute({
  method: 'GET',
  path: '/stream',
  summary: 'Follow the records: server-sent events named record, with the id of the record as cursor',
  needs: 'records',
  query: AUDIT_FILTER.safeExtend({ after: RECORD_ID_TEXT.optional().describe('From the record with this id on, as Last-Event-ID. Left out: from now on') }),
  answer: z.unknown(),
  mediaType: 'text/event-stream',
  async handle({ query: { after, ...query }, ...context }) {
    const cursor = lastEventId(context) ?? after ?? null;
    const filter = filterOf(query, context.parts.clock());
    const question = { filter, seesNames: await seesNames(context, filter) };
    // Finds a faulty question before the stream begins.
    const first = await changes(context, { ...question, reader: context.reader, after: cursor });
    if (!first.ok) return first;
    const give = context.parts.streams.take(context.authorization.principal.id);
    if (give === undefined) return { ok: false, code: 'rate-limited', detail: 'Too many streams are open: close one.' };
    const source = Readable.from(eventsFrom(context, question, first.answer)).once('close', give);
    return { ok: true, send: (reply) => reply.type('text/event-stream').send(source) };
  },
});

/** Browsers send it when they connect again. */
function lastEventId({ request }: CallContext): string | undefined {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && RECORD_ID.parse(id, 0) !== undefined ? id : undefined;
}

function changes(context: CallContext, question: ChangesQuestion & { readonly reader: RecordReader }) {
  const asker = askerOf({ ...context, reader: question.reader });
  return search(context.parts, () => context.parts.liveSearch.ask({ kind: 'changes', ...question }, asker));
}

/** Ends on every failure. The reader connects again with its cursor, and so loses nothing. */
function eventsFrom(context: CallContext, question: Pick<ChangesQuestion, 'filter' | 'seesNames'>, first: Changes): AsyncGenerator<string> {
  let [found, reader]: [Changes | undefined, RecordReader] = [first, context.reader];
  let { number } = first;
  return liveEvents(context.parts, {
    async look() {
      const next = found === undefined ? await changes(context, { ...question, reader, after: number }) : { ok: true, answer: found };
      found = undefined;
      if (!next.ok) return undefined;
      number = next.answer.number;
      return next.answer.records.map(eventText).join('');
    },
    async recheck() {
      const reading = await authorizeReading(context.inputs, context.parts.decider);
      if (!reading.authorization.ok) return reading.authorization.reason;
      reader = reading.reader;
      return null;
    },
  });
}

function eventText(record: LedgerRecord): string {
  return `event: record\nid: ${record.id}\ndata: ${JSON.stringify(record)}\n\n`;
}
