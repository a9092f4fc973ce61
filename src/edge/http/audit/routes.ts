// GET /.lictor/api/v1/audit: the ledger, for principals with `ledger.read` on everything. Reads are recorded like any request.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../../authorization/decide/inputs.ts';
import { LictorError } from '../../../contract/error.ts';
import type { EdgeInputs } from '../../../contract/inputs.ts';
import { REASONS } from '../../../contract/reasons.ts';
import { didYouMean } from '../../../record/ledger/search/known-words.ts';
import type { PageQuestion } from '../../../record/ledger/search/search.ts';
import { sendRefusalOrPage } from '../answers.ts';
import type { RouteParts } from '../parts.ts';
import { recordRead } from '../read-records.ts';
import { parseAuditQuery } from './query.ts';

export function registerAudit(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/api/v1/audit`, async (request, reply) => {
    const authorization = await parts.decider.authorizeOwn(parseEdgeInputs(request.headers), 'ledger.read');
    // A principal without this right learns nothing about the parameters.
    const answer = authorization.ok ? await answerOf(request, parts) : ({ ok: false, code: authorization.reason, detail: authorization.detail } as const);
    await recordRead(request, { authorization, status: answer.ok ? 200 : REASONS[answer.code].status }, parts);
    return answer.ok ? reply.send(answer.page) : sendRefusalOrPage(request, reply, { pages: parts.pages, ...answer });
  });
}

async function answerOf(request: FastifyRequest, parts: RouteParts): Promise<Answer> {
  const at = request.url.indexOf('?');
  const query = parseAuditQuery(at === -1 ? '' : request.url.slice(at + 1), parts.clock());
  if (!query.ok) return { ok: false, code: 'request-invalid', detail: query.detail };
  const isNamed = query.filter.flowRun !== undefined || query.filter.deployment !== undefined;
  return pageOf({ filter: query.filter, seesNames: isNamed && (await seesNames(parseEdgeInputs(request.headers), parts)) }, parts);
}

/** Omits the names of Prefect's objects, because the right to read the ledger does not include them. */
async function seesNames(inputs: EdgeInputs, { decider }: RouteParts): Promise<boolean> {
  const rights = [await decider.authorizeOwn(inputs, 'flow_runs.read', 'FlowRun'), await decider.authorizeOwn(inputs, 'deployments.read', 'Deployment')];
  return rights.every(({ ok }) => ok);
}

type Answer =
  | { readonly ok: true; readonly page: object }
  | { readonly ok: false; readonly code: 'request-invalid' | 'gateway-unavailable'; readonly detail: string };

/** `next`: the value of `after` for the next page. Null: none yet. `notes`: terms that may be misspelt, as text. */
async function pageOf(question: PageQuestion, { ledgerSearch, log }: RouteParts): Promise<Answer> {
  try {
    const { filter } = question;
    const { records, unknown } = await ledgerSearch.page(question);
    const isFull = records.length === ('limit' in filter ? filter.limit : filter.last);
    const notes = [...didYouMean(filter), ...(unknown === null ? [] : [unknown])];
    return { ok: true, page: { records, next: isFull ? (records.at(-1)?.id ?? null) : null, notes } };
  } catch (error) {
    if (error instanceof LictorError && ['record-unknown', 'name-unknown'].includes(error.code))
      return { ok: false, code: 'request-invalid', detail: error.message };
    log.warn({ err: error }, 'the ledger could not be searched');
    return { ok: false, code: 'gateway-unavailable', detail: 'The ledger could not be searched in time: narrow what you ask for, or ask again.' };
  }
}
