// GET stream: new records as server-sent events, from a cursor on. Narrowed to the reader's scopes; ends when its right ends.
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { RecordReader } from '../../../contract/record-reader.ts';
import type { Changes } from '../../../record/ledger/query.ts';
import type { ChangesQuestion } from '../../../record/ledger/search/questions.ts';
import { apiRoute, type CallContext } from './api-route.ts';
import { AUDIT_FILTER, filterOf } from './audit/query.ts';
import { search, seesNames } from './audit/search-ledger.ts';
import { RECORD_ID } from './audit/words.ts';
import { authorizeReading } from './reading.ts';

const LOOK_MS = 250;
/** A revocation holds after this time. */
const RECHECK_MS = 2_000;
const HEARTBEAT_MS = 15_000;

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

function changes({ parts }: CallContext, question: ChangesQuestion & { readonly reader: RecordReader }) {
  return search(parts, () => parts.liveSearch.ask({ kind: 'changes', ...question }, parts.coveredObjects(question.reader)));
}

/** Ends on every failure. The reader connects again with its cursor, and so loses nothing. */
async function* eventsFrom(context: CallContext, question: Pick<ChangesQuestion, 'filter' | 'seesNames'>, first: Changes): AsyncGenerator<string> {
  const { steady, retired } = context.parts;
  let [found, reader] = [first, context.reader];
  let [checkedAt, sentAt] = [steady(), steady()];
  yield 'retry: 2000\n\n';
  while (!retired.aborted) {
    if (found.records.length > 0) yield found.records.map(eventText).join('');
    if (found.records.length > 0) sentAt = steady();
    else await wait(LOOK_MS, undefined, { signal: retired }).catch(() => undefined);
    if (steady() - sentAt >= HEARTBEAT_MS) {
      yield ': alive\n\n';
      sentAt = steady();
    }
    if (steady() - checkedAt >= RECHECK_MS) {
      const reading = await authorizeReading(context.inputs, context.parts.decider);
      if (!reading.authorization.ok) return yield `event: end\ndata: ${JSON.stringify({ code: reading.authorization.reason })}\n\n`;
      reader = reading.reader;
      checkedAt = steady();
    }
    const next = await changes(context, { ...question, reader, after: found.number });
    if (!next.ok) return;
    found = next.answer;
  }
}

function eventText(record: LedgerRecord): string {
  return `event: record\nid: ${record.id}\ndata: ${JSON.stringify(record)}\n\n`;
}
