// Who sends a request that may wait for an approval, and whether a rule is about them.
import type { Agent, ApprovalRule } from '../../config/config.ts';
import { agentId, chainOf, type Principal } from '../../contract/principal.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';
import { isMember } from '../../identity/authn/roles.ts';
import type { PermittedRequest } from '../mediate/conditions.ts';

export interface Requester {
  /** The principal, or the login of a client that acts for a person. */
  readonly id: string;
  /** The further principals of the chain, nearest first. */
  readonly chain: readonly string[];
  /** Pending requests of an initiator and of its runs count together. */
  readonly countedFor: string;
  /** The person who answers for it; null: nobody does. */
  readonly sponsor: string | null;
}

type Asking = Pick<PermittedRequest, 'authorization'> & { readonly call: { readonly inputs: { readonly audience?: 'mcp' } } };

/** A client that acts for a person over MCP is the requester itself, so the person may approve as a sponsor does. */
export function requesterOf({ authorization, call }: Asking, agents: readonly Pick<Agent, 'name' | 'sponsor'>[]): Requester {
  const { principal, credential } = authorization;
  const { id, kind, onBehalfOf } = principal;
  if (kind === 'user' && call.inputs.audience === 'mcp') return { id: credential.id, chain: [id, ...onBehalfOf], countedFor: id, sponsor: id };
  const agent = agents.find(({ name }) => [id, ...onBehalfOf].includes(agentId(name)));
  const countedFor = kind === 'run' ? (onBehalfOf.find((each) => runOfPrincipal(each) === null) ?? id) : id;
  return { id, chain: onBehalfOf, countedFor, sponsor: agent === undefined ? null : `${agent.sponsor.name}@${agent.sponsor.idp}` };
}

/** One principal of the chain is enough. Of initiators Lictor knows only the ids, so groups and claims match those whose rights it evaluates. */
export function isAbout({ principals }: Pick<ApprovalRule, 'principals'>, principal: Principal): boolean {
  const ids = [principal.id, ...principal.onBehalfOf];
  return principals.some((member) => ids.some((id) => isNamed(id, member)) || chainOf(principal).some((each) => isMember(each, member)));
}

const ANY_AGENT = agentId('*');

function isNamed(id: string, member: string): boolean {
  if (member === ANY_AGENT) return id.startsWith(agentId(''));
  return member === id || member === `user:${id}` || (member.startsWith('*@') && id.endsWith(member.slice(1)));
}
