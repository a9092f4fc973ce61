// One question about rights -> its answer. Runs in the thread of review.ts, and in tests without it.
import { existsSync } from 'node:fs';
import { LictorError } from '../../../contract/error.ts';
import type { Principal } from '../../../contract/principal.ts';
import { REASONS } from '../../../contract/reasons.ts';
import { BUILT_IN_ROLES } from '../../../contract/roles.ts';
import { scopeText } from '../../../contract/scope.ts';
import type { UseCounts } from '../../../record/ledger/allowed-uses.ts';
import { NO_NAMES } from '../../../record/ledger/search/names.ts';
import { createEngineOfChecked } from '../../policy/engine.ts';
import { createRoleActions } from '../../policy/role-actions.ts';
import { absentWords } from '../absent.ts';
import { access, type Subject, subjectsOf } from '../access.ts';
import { explainAction, objectOf } from '../action.ts';
import type { Explanation } from '../explanation.ts';
import { explainAbout, matrixColumns, matrixRows } from '../matrix.ts';
import type { Explainer } from '../open.ts';
import { parsePasted } from '../pasted.ts';
import type { ResolvedPrincipal } from '../principal.ts';
import { recordedPrincipal, revisit } from '../record.ts';
import { isHeldBy, remediesFor } from '../remedies.ts';
import { explainRequest } from '../request.ts';
import { unusedRights } from '../unused.ts';
import type { Answers, Asker, Explained, Kind, PageOf, Question, Questions, ReviewData } from './protocol.ts';

export interface AnswerParts extends Explainer {
  readonly config: ReviewData['config'];
  readonly ledgerFile: string;
  /** Of that file. */
  readonly uses: UseCounts;
}

/** Throws LictorError `usage` for a question that names an unknown action or principal, with a suggestion. */
export function answerQuestion(parts: AnswerParts, question: Question): Promise<Answers[Kind]> {
  switch (question.kind) {
    case 'whoCan':
      return whoCan(parts, question);
    case 'matrix':
      return matrix(parts, question);
    case 'explain':
      return explain(parts, question);
    case 'request':
      return request(parts, question);
    case 'record':
      return record(parts, question);
    case 'unused':
      return unused(parts, question);
  }
}

async function whoCan(parts: AnswerParts, { action, resource, ...page }: Questions['whoCan']): Promise<Answers['whoCan']> {
  const object = objectOf(parts.parts, { action, resource });
  const absent = object === undefined ? undefined : await absentWords(parts.parts, object, NO_NAMES);
  if (absent !== undefined) return { lines: [], next: null, absent };
  const { subjects, next } = pageOf(await allSubjects(parts), page);
  return { lines: await access({ parts: parts.parts, config: parts.config, subjects }, { action, resource }), next, absent: null };
}

async function matrix(parts: AnswerParts, { rows, about, search, ...page }: Questions['matrix']): Promise<Answers['matrix']> {
  const all = rows === 'roles' ? BUILT_IN_ROLES.map((role) => subject(`role:${role}`, parts)) : await allSubjects(parts);
  const wanted = search?.toLowerCase() ?? '';
  const { subjects, next } = pageOf(
    all.filter(({ id }) => id.toLowerCase().includes(wanted)),
    page,
  );
  const absent = about.resource === undefined ? undefined : await absentWords(parts.parts, about.resource, NO_NAMES);
  const sources = { parts: parts.parts, config: parts.config, subjects, about };
  return { columns: matrixColumns(parts.parts, about), rows: await matrixRows(sources), next, absent: absent ?? null };
}

async function explain(parts: AnswerParts, { who, action, about, resource }: Questions['explain']): Promise<Explained> {
  const person = await whoOf(who, parts);
  const isNamed = about.resource === undefined && about.scope === undefined;
  const explanation = isNamed ? await explainAction(parts.parts, person, { action, resource }) : await explainAbout(parts.parts, person, { action, about });
  return explained(parts, { who, person, explanation });
}

async function request(parts: AnswerParts, { who, text }: Questions['request']): Promise<Explained> {
  const person = await whoOf(who, parts);
  const { line, body, notes } = parsePasted(text, parts.parts.publicUrl);
  const explanation = await explainRequest(parts.parts, person, { line, body });
  const shown = explanation.request && { ...explanation.request, query: withoutValues(explanation.request.query) };
  return explained(parts, { who, person, explanation: { ...explanation, request: shown, notes: [...explanation.notes, ...notes] } });
}

async function record(parts: AnswerParts, { record: of, limited }: Questions['record']): Promise<Answers['record']> {
  const resolved = await recordedPrincipal(of, parts.people.findRecorded);
  const { now, changed, notes } = await revisit(parts.parts, { record: of, resolved });
  if (now === null || resolved === null || typeof resolved === 'string') return { record: of, now: null, changed, notes };
  const shown = limited ? forReaderOfRecord(now) : now;
  return { record: of, now: await withRemedies(parts, { person: resolved, whole: now, shown }), changed, notes };
}

/** Nothing about roles, scopes and objects of others: these may name another team. */
function forReaderOfRecord(whole: Explanation): Explanation {
  const { asks, further, principal, ...rest } = forOneself(whole);
  const without = (all: Explanation['asks']): Explanation['asks'] => all.map((ask) => ({ ...ask, facts: {}, attributes: null, narrowed_to: null }));
  const { detail } = REASONS[whole.reason];
  return { ...rest, detail, asks: without(asks), further: without(further), principal: { ...principal, roles: [] }, notes: [] };
}

async function unused(parts: AnswerParts, { since }: Questions['unused']): Promise<Answers['unused']> {
  const { actions } = parts.parts;
  const roles = createRoleActions(createEngineOfChecked({ actions, revision: 0 }), actions);
  const subjects = (await parts.people.ids()).map((id) => subject(id, parts));
  const { uses, to } = existsSync(parts.ledgerFile) ? parts.uses.step(since) : { uses: [], to: null };
  return { since, counted_to: to, lines: to === null ? await unusedRights(subjects, uses, roles) : [] };
}

async function allSubjects({ people, config }: AnswerParts): Promise<readonly Subject[]> {
  return subjectsOf(config, [...(await people.ids())].sort(), people.findRecorded);
}

function subject(id: string, { people }: AnswerParts): Subject {
  return { id, resolve: () => people.findRecorded(id) };
}

/** Throws LictorError `usage` for a principal that is not in the list (any more). */
function pageOf(all: readonly Subject[], { limit, after }: PageOf): { readonly subjects: readonly Subject[]; readonly next: string | null } {
  const at = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && at === 0) throw new LictorError('usage', 'The list has changed: begin with its first page.');
  const subjects = all.slice(at, at + limit);
  return { subjects, next: at + limit < all.length ? (subjects.at(-1)?.id ?? null) : null };
}

async function whoOf(who: Asker, { people }: AnswerParts): Promise<ResolvedPrincipal> {
  return 'name' in who ? people.find(who.name) : ofSelf(who.self);
}

/** As the gateway has authenticated it: no lock or expiry is left to check. */
function ofSelf(principal: Principal): ResolvedPrincipal {
  const roles = principal.grants.map(({ role, scope }) => ({ role, scope: scope === null ? null : scopeText(scope), from: [] }));
  return { principal, hypothetical: false, roles, refusedAs: null, notes: [] };
}

interface Result {
  readonly who: Asker;
  readonly person: ResolvedPrincipal;
  readonly explanation: Explanation;
}

function explained(parts: AnswerParts, { who, person, explanation: whole }: Result): Promise<Explained> {
  return withRemedies(parts, { person, whole, shown: 'self' in who ? forOneself(whole) : whole });
}

interface Shown {
  readonly person: ResolvedPrincipal;
  readonly whole: Explanation;
  /** What the reader sees of it. */
  readonly shown: Explanation;
}

async function withRemedies({ parts, config }: AnswerParts, { person, whole, shown: explanation }: Shown): Promise<Explained> {
  const isHeld = isHeldBy(config, person, whole);
  return {
    explanation,
    with_approval: isHeld && whole.decision === 'allow',
    remedies: await remediesFor(parts, person, explanation, isHeld),
  };
}

/** Without the right to read policies and objects: names of policies, and nothing about an object that the principal may not use. */
function forOneself(explanation: Explanation): Explanation {
  const own = (asks: Explanation['asks']): Explanation['asks'] =>
    asks.map((ask) => ({
      ...ask,
      attributes: ask.decision === 'allow' ? ask.attributes : null,
      policies: ask.policies.map(({ id }) => ({ id, file: null, line: null, description: '' })),
    }));
  return { ...explanation, asks: own(explanation.asks), further: own(explanation.further) };
}

/** A query may carry a credential. */
function withoutValues(query: string): string {
  return query === '' ? '' : query.replaceAll(/=[^&]*/g, '=...');
}
