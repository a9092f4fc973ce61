// What a family of mediated operations must say: which rights a request needs, what is forwarded, what the answer tells.

import type { Decision, Resource } from '../../contract/decision.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import type { Operation } from '../../contract/operation.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { isScreenedRoute } from '../../contract/scope/screened.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { ScopeFilter } from '../../prefect/scope-filter/scope-filter.ts';
import { type Ask, locate } from '../decide/asks.ts';
import type { Authorization } from '../decide/decider.ts';

/** A mediated request, located in the catalogue and strictly parsed. */
export interface Call {
  readonly operation: Operation;
  readonly inputs: EdgeInputs;
  /** Path parameters: percent-decoded, UUIDs in lower-case hyphenated form. */
  readonly params: Readonly<Record<string, string>>;
  /** undefined: the request has no body. */
  readonly tree: JsonValue | undefined;
  /** Before each further step that looks at the whole body: a large one lets others come between. */
  readonly turn: () => Promise<void>;
  /** A policy looks at the values of parameters. */
  readonly readsParameters: boolean;
  /** For a principal with a role on some objects only: which of many objects it may read, by the right to read them. Undefined: every one. */
  readonly scopeFilter?: (read: Ask) => Promise<ScopeFilter | undefined>;
}

export type { Lookup } from '../../prefect/client/lookup.ts';

/** What is written into Prefect's objects about who made them. */
export interface Stamp {
  readonly principal: string;
  readonly onBehalfOf: readonly string[];
  readonly requestId: string;
  /** A tag that says who; null: none is wanted. */
  readonly tag: string | null;
  /** W3C Trace Context below the request; null: it is in no trace. */
  readonly traceparent: string | null;
}

/** Who has asked, with what. */
export interface Asker {
  readonly principal: Principal;
  readonly credential: Credential;
}

/** What an answer of Prefect adds to the record. `items`: more objects than one record can name, a further record for each. */
export interface Outcome {
  readonly record: Partial<NewRecord>;
  readonly items?: readonly Partial<NewRecord>[];
}

/** An idempotency key brings back the run that has it already, whosever that is. */
export interface Earlier {
  /** Empty text: a run that cannot be told. */
  readonly runs: (answer: UpstreamAnswer) => readonly string[];
  readonly without: (answer: UpstreamAnswer, foreign: ReadonlySet<string>) => UpstreamAnswer | Refusal;
}

/** What deciding on an answer needs: may whoever has asked do this as well? */
export interface Showing {
  readonly may: (asks: readonly Ask[]) => Promise<Authorization>;
  readonly nowMs: number;
}

export interface Plan {
  /** All must be allowed. None: the operation's own action on its own resource. */
  readonly asks: readonly Ask[];
  /** More of them, asked when those are allowed: to know them takes a look at what an object says that may be foreign. */
  readonly further?: () => Promise<readonly Ask[]>;
  /** A right that the request does not need: without it the answer shows less. */
  readonly optionalPermission?: Ask;
  /** What is left of it without these objects, when they are foreign: as if they were not there. Ids of other objects are none of its own. */
  readonly without?: (ids: ReadonlySet<string>) => Plan | Promise<Plan>;
  /** True: the intent is on disk before anything is forwarded. */
  readonly intent: boolean;
  /** The tree to forward, once it is known who asks. */
  readonly rewrite: (stamp: Stamp) => JsonValue | undefined;
  readonly outcome?: (answer: UpstreamAnswer) => Outcome;
  /** What the policies cannot say: a refusal by what the body says about who sends it. Asked when everything else is allowed. */
  readonly objection?: (sender: Principal) => Refusal | undefined;
  /** Wrong whoever asks. It hangs on what is there, so that nobody is told of a foreign object. */
  readonly problem?: Refusal | undefined;
  /** More precise words than the policies' own, when these asks were denied. */
  readonly refusal?: (denied: readonly Decision[]) => Refusal | undefined;
  /** Runs in the answer that may be somebody's earlier ones: who may not read them gets the answer without them. */
  readonly earlier?: Earlier;
  /** What Prefect's answer changes here, before anybody is told; answers what goes on. When it fails, the client is told that it cannot be said. */
  readonly settle?: (answer: UpstreamAnswer, asker: Asker) => Promise<UpstreamAnswer>;
  /** What of the answer is for whoever has asked. Throws UpstreamError when that cannot be told. */
  readonly shown?: (answer: UpstreamAnswer, showing: Showing) => Promise<UpstreamAnswer>;
  /** What the client gets instead of Prefect's own answer. */
  readonly reply?: (answer: UpstreamAnswer, isPermitted: boolean) => UpstreamAnswer;
}

export interface Refusal {
  readonly code: ReasonCode;
  /** More precise than the reason's own words; quotes nothing of the body but field names. */
  readonly detail?: string;
}

export type Planned = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly refusal: Refusal };

export interface Family {
  readonly operations: readonly string[];
  /** At most this much body, in bytes: parsing 8 MiB of fractions takes a second of the one event loop. */
  readonly maxBytes: number;
  readonly plan: (call: Call, lookup: Lookup) => Planned | Promise<Planned>;
}

export const MEBIBYTE = 1024 * 1024;

/** Every ask is an evaluation, and with a scope a look at an object: no stock client names nearly as many in one body. */
const MOST_ASKS = 500;

export function planned(plan: Plan): Planned {
  return plan.asks.length > MOST_ASKS ? tooComplex(`The body names more than ${MOST_ASKS} objects.`) : { ok: true, plan };
}

export function tooComplex(detail: string): Planned {
  return { ok: false, refusal: { code: 'body-too-complex', detail } };
}

export function invalid(detail: string): Planned {
  return { ok: false, refusal: { code: 'body-invalid', detail } };
}

/** What each look at the body asks, in their order; for a large body each is a step. */
export async function askInSteps({ turn }: Pick<Call, 'turn'>, looks: readonly (() => readonly Ask[])[]): Promise<readonly Ask[]> {
  const asks: Ask[] = [];
  for (const look of looks) {
    await turn();
    asks.push(...look());
  }
  return asks;
}

/** The operation's own resource. */
export function ownResource(call: Call): Resource {
  const { resource, idParam } = call.operation;
  return { type: resource, id: idParam === null ? null : (call.params[idParam] ?? null) };
}

/** The plan's asks, with what the path says about the object that it names. None: the operation's own action on its own resource. */
export function asksOf(call: Call, asks: readonly Ask[]): readonly Ask[] {
  const own = locate(call.operation, call.params);
  if (asks.length === 0) return [{ action: call.operation.action, resource: own, inPath: { screened: isScreenedRoute(call.operation) } }];
  const isOwn = ({ resource, on }: Ask) =>
    own.id !== null && on?.kind !== 'created' && on?.kind !== 'related' && resource.type === own.type && resource.id === own.id;
  return asks.map((ask) => (isOwn(ask) ? { ...ask, resource: own, inPath: ask.inPath ?? { screened: false } } : ask));
}
