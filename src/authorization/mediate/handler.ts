// What a handler of mediated operations states: the rights that a request needs, the body to forward, and what the client gets back.

import type { Decision, Resource } from '../../contract/decision.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import type { Operation } from '../../contract/operation.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import type { NewRecord } from '../../contract/record.ts';
import { isScreenedRoute } from '../../contract/scope/screened.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Refusal, ScopeFilter } from '../../prefect/scope-filter/scope-filter.ts';
import { type Ask, locate } from '../decide/asks.ts';
import type { Authorization } from '../decide/decider.ts';

/** A mediated request, located in the catalogue and strictly parsed. */
export interface Call {
  readonly operation: Operation;
  readonly inputs: EdgeInputs;
  /** Path parameters: percent-decoded, UUIDs in lower-case hyphenated form. */
  readonly params: Readonly<Record<string, string>>;
  /** Undefined: the request has no body. */
  readonly tree: JsonValue | undefined;
  /** Awaited before each further step over the whole body, so that a large body does not delay other requests. */
  readonly turn: () => Promise<void>;
  /** A policy reads the values of parameters. */
  readonly readsParameters: boolean;
  /** Which objects a principal with scopes may read, by the right to read them. Undefined: all of them. */
  readonly scopeFilter?: (read: Ask) => Promise<ScopeFilter | undefined>;
}

export type { Lookup } from '../../prefect/client/lookup.ts';
export type { Refusal } from '../../prefect/scope-filter/scope-filter.ts';

/** What Lictor writes into Prefect's objects about their creator. */
export interface Stamp {
  readonly principal: string;
  readonly onBehalfOf: readonly string[];
  readonly requestId: string;
  /** A tag that names the creator; null: the configuration asks for none. */
  readonly tag: string | null;
  /** W3C Trace Context below the request; null: the request is in no trace. */
  readonly traceparent: string | null;
  /** The approval by which the request passes; null: it needs none. */
  readonly approvalId: string | null;
}

export interface Requester {
  readonly principal: Principal;
  readonly credential: Credential;
}

/** What an answer of Prefect adds to the record. `items`: one further record for each object, since a record can name only one. */
export interface Outcome {
  readonly record: Partial<NewRecord>;
  readonly items?: readonly Partial<NewRecord>[];
}

/** Prefect answers an idempotency key that is in use with the existing run, which another principal may have created. */
export interface ReplayedRuns {
  /** Ids of runs that may have existed before. An empty text: the answer does not name the run. */
  readonly runs: (answer: UpstreamAnswer) => readonly string[];
  readonly without: (answer: UpstreamAnswer, foreign: ReadonlySet<string>) => UpstreamAnswer | Refusal;
}

/** The runs that Prefect starts for a request. */
export interface Starts {
  readonly count: number;
  /** False: existing runs go on, or run again. */
  readonly areNew: boolean;
  /** The ids of those that Prefect started, by its answer. */
  readonly started: (answer: UpstreamAnswer) => readonly string[];
}

/** Decides further rights of the requester, for what its answer contains. */
export interface AnswerContext {
  readonly authorize: (asks: readonly Ask[]) => Promise<Authorization>;
  readonly nowMs: number;
}

export interface Plan {
  /** All must be allowed. Empty: the operation's own action on its own resource. */
  readonly asks: readonly Ask[];
  /** Further asks, decided after `asks` are allowed: to know them, Lictor reads an object that may be foreign. */
  readonly further?: () => Promise<readonly Ask[]>;
  /** A right that the request does not need: without it the answer shows less. */
  readonly optionalPermission?: Ask;
  /** The plan without these foreign objects, as if they did not exist. */
  readonly without?: (ids: ReadonlySet<string>) => Plan | Promise<Plan>;
  /** The ledger has the intent on disk before Lictor forwards the request. Left out: for operations that write. */
  readonly intent?: boolean;
  /** The body to forward. Left out: the parsed body. */
  readonly rewrite?: (stamp: Stamp) => JsonValue | undefined;
  readonly outcome?: (answer: UpstreamAnswer) => Outcome;
  /** A refusal that depends on the sender and that no policy can express. Lictor calls it after everything else is allowed. */
  readonly objection?: (sender: Principal) => Refusal | undefined;
  /** A refusal for every principal. It depends on existing objects, so a foreign object takes precedence. */
  readonly problem?: Refusal | undefined;
  /** A more precise text than the policies' own, for these denied asks. */
  readonly refusal?: (denied: readonly Decision[]) => Refusal | undefined;
  /** Left out: the request starts no run at once. */
  readonly starts?: Starts;
  /** A principal that may not read the existing runs gets the answer without them. */
  readonly replayed?: ReplayedRuns;
  /** Applies Prefect's answer to Lictor's own state before the client gets it. If it fails, the client learns that the outcome is unknown. */
  readonly settle?: (answer: UpstreamAnswer, requester: Requester) => Promise<UpstreamAnswer>;
  /** The part of the answer that the requester may see. Throws UpstreamError when it cannot be determined. */
  readonly narrowAnswer?: (answer: UpstreamAnswer, context: AnswerContext) => Promise<UpstreamAnswer>;
  /** What the client gets instead of Prefect's own answer. */
  readonly reply?: (answer: UpstreamAnswer, isPermitted: boolean) => UpstreamAnswer;
}

export type Planned = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly refusal: Refusal };

export interface Handler {
  readonly operations: readonly string[];
  /** The largest body, in bytes: parsing 8 MiB of fractions takes a second of the one event loop. */
  readonly maxBytes: number;
  readonly plan: (call: Call, lookup: Lookup) => Planned | Promise<Planned>;
}

export const MEBIBYTE = 1024 * 1024;

/** Each ask costs an evaluation and, with a scope, a lookup. No stock client names nearly as many objects in one body. */
const MOST_ASKS = 500;

export function planned(plan: Plan): Planned {
  return plan.asks.length > MOST_ASKS ? tooComplex(`The body names more than ${MOST_ASKS} objects.`) : { ok: true, plan };
}

export function refused(refusal: Refusal): Planned {
  return { ok: false, refusal };
}

export function tooComplex(detail: string): Planned {
  return refused({ code: 'body-too-complex', detail });
}

export function invalid(detail: string): Planned {
  return refused({ code: 'body-invalid', detail });
}

/** `plan` of a handler whose requests have a JSON object as their body. */
export function withObject(plan: (call: Call, body: JsonObject, lookup: Lookup) => Planned | Promise<Planned>): Handler['plan'] {
  return (call, lookup) => (isObject(call.tree) ? plan(call, call.tree, lookup) : invalid('The body must be a JSON object.'));
}

/** The asks of each look at the body, in order. For a large body each look is a separate step. */
export async function askInSteps({ turn }: Pick<Call, 'turn'>, looks: readonly (() => readonly Ask[])[]): Promise<readonly Ask[]> {
  const asks: Ask[] = [];
  for (const look of looks) {
    await turn();
    asks.push(...look());
  }
  return asks;
}

/** The operation's own resource. */
export function ownResource({ operation: { resource, idParam }, params }: Call): Resource {
  return { type: resource, id: idParam === null ? null : (params[idParam] ?? null) };
}

/** The operation's own action on its own resource. */
export function ownAsk(call: Call): Ask {
  return { action: call.operation.action, resource: ownResource(call) };
}

/** The plan's asks, with what the path says about the object that it names. None: the operation's own action on its own resource. */
export function asksOf(call: Call, asks: readonly Ask[]): readonly Ask[] {
  const own = locate(call.operation, call.params);
  if (asks.length === 0) return [{ action: call.operation.action, resource: own, inPath: { screened: isScreenedRoute(call.operation) } }];
  const isOwn = ({ resource, on }: Ask) =>
    own.id !== null && on?.kind !== 'created' && on?.kind !== 'related' && resource.type === own.type && resource.id === own.id;
  return asks.map((ask) => (isOwn(ask) ? { ...ask, resource: own, inPath: ask.inPath ?? { screened: false } } : ask));
}
