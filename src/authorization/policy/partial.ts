// Partial decisions: Cedar decides as far as the known inputs allow, and returns the rest as residual policies.
import { type CedarValueJson, isAuthorizedPartial } from '@cedar-policy/cedar-wasm/nodejs';
import type { Effect, Resource } from '../../contract/decision.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import { OBJECT, OF_RUN, withOpenObject } from './open-object.ts';
import { invalid, type PolicyTexts } from './policies.ts';
import { PRINCIPAL, ROLE } from './schema.ts';

export interface PartialQuestion {
  readonly principal: Pick<Principal, 'id' | 'kind' | 'idp'>;
  readonly action: string;
  readonly resource: Resource;
  /** The roles in force for this resource. Scopes are unknown here. */
  readonly roles: readonly string[];
  /** Null: unknown. The carrier, the facts of the body and the attributes of the object or of a calling run are always unknown. */
  readonly address: string | null;
}

export interface PartialAnswer {
  /** Null: it depends on unknown inputs. */
  readonly decision: Effect | null;
  /** The policies that decide, or may decide. */
  readonly policies: readonly string[];
  /** Two answers with the same text are equal for all unknown inputs. */
  readonly residual: string;
}

export interface PartialEngine {
  answer(question: PartialQuestion): PartialAnswer;
}

/** Not for requests: Cedar parses the policies again for each new question. */
export function createPartialEngine(actions: readonly ActionEntry[], policies: PolicyTexts): PartialEngine {
  const known = new Map<string, PartialAnswer>();
  const withUnknowns = withOpenObject(policies);
  const all = Object.values(policies).join('\n');
  return {
    answer(question) {
      const relevant = withoutIrrelevant(question, all);
      const key = JSON.stringify(relevant);
      const answer = known.get(key) ?? ask(relevant, actions, withUnknowns);
      known.set(key, answer);
      return answer;
    },
  };
}

/** Values that no policy mentions have no effect. Without them, a day of requests is a few hundred questions. */
function withoutIrrelevant(question: PartialQuestion, all: string): PartialQuestion {
  const { principal, resource } = question;
  const mentions = (text: string): boolean => all.includes(JSON.stringify(text));
  const named = resource.id === null || mentions(resource.id);
  return {
    ...question,
    principal: { id: mentions(principal.id) ? principal.id : 'somebody', kind: principal.kind, idp: principal.idp },
    resource: named ? resource : { ...resource, id: 'something' },
    address: all.includes('address') ? question.address : '',
  };
}

function ask({ principal, roles, action, resource, address }: PartialQuestion, actions: readonly ActionEntry[], policies: PolicyTexts): PartialAnswer {
  const uid = { type: PRINCIPAL, id: principal.id };
  const group = actions.find(({ name }) => name === action)?.group;
  const answer = isAuthorizedPartial({
    principal: uid,
    action: { type: 'Action', id: action },
    resource: { type: resource.type, id: resource.id ?? '' },
    context: {
      address: address ?? unknown('address'),
      carrier: unknown('carrier'),
      facts: unknown('facts'),
      [OBJECT]: unknown(OBJECT),
      [OF_RUN]: attributesOfRun(principal.kind, group),
    },
    entities: [
      {
        uid,
        attrs: { kind: principal.kind, ...(principal.idp !== null && { idp: principal.idp }) },
        parents: roles.map((role) => ({ type: ROLE, id: role })),
      },
      { uid: { type: 'Action', id: action }, attrs: {}, parents: group === undefined ? [] : [{ type: 'Action', id: group }] },
    ],
    policies: { staticPolicies: { ...policies } },
  });
  if (answer.type === 'failure') throw invalid(answer.errors.map(({ message }) => message).join('; '));
  const { decision, satisfied, errored, mayBeDetermining, nontrivialResiduals, residuals } = answer.response;
  const open = nontrivialResiduals.toSorted().map((id) => [id, residuals[id]]);
  return {
    // A policy that cannot be evaluated denies, as the engine does.
    decision: errored.length > 0 ? 'deny' : decision,
    policies: mayBeDetermining.toSorted(),
    residual: JSON.stringify([satisfied.toSorted(), errored.toSorted(), open]),
  };
}

/** Only a run that calls a service or a host has such attributes. */
function attributesOfRun(kind: Principal['kind'], group: string | undefined): CedarValueJson {
  return kind === 'run' && group === 'services' ? unknown(OF_RUN) : {};
}

function unknown(name: string): CedarValueJson {
  return { __extn: { fn: 'unknown', arg: name } };
}
