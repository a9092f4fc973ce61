// The tables of agents, approvals and authorization codes, as tables.ts has the others.
import type { ResourceType } from '../contract/operation.ts';
import type { UseKind } from './agent-uses.ts';

export interface AgentUseTable {
  readonly agent: string;
  readonly kind: UseKind;
  readonly at_ms: number;
  readonly amount: number;
}

export interface AgentRunTable {
  readonly agent: string;
  /** Prefect's id of the run, or an id that stands for a reserved one. */
  readonly id: string;
  /** The run of the agent that it is below; its own id: none. */
  readonly root: string;
  /** 1: the agent itself started it last, not a run. */
  readonly own: 0 | 1;
  readonly at_ms: number;
  readonly ended_ms: number | null;
  /** 1: Prefect has not created it yet. */
  readonly reserved: 0 | 1;
}

export interface ApprovalTable {
  readonly id: string;
  /** SHA-256 of what it is bound to, hexadecimal. */
  readonly binding: string;
  readonly rule: string;
  readonly requested_by: string;
  /** JSON list, nearest first. */
  readonly on_behalf_of: string;
  readonly counted_for: string;
  readonly credential_id: string;
  readonly sponsor: string | null;
  /** JSON list of members. */
  readonly approvers: string;
  readonly action: string;
  readonly resource_type: ResourceType;
  readonly resource_id: string | null;
  readonly resource_name: string | null;
  /** JSON, bounded and without secrets. */
  readonly shown_arguments: string;
  readonly arguments_hash: string;
  readonly revision: number;
  readonly life_ms: number;
  readonly state: 'pending' | 'approved' | 'denied' | 'used';
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly decided_by: string | null;
  readonly reason: string;
}

export interface TaintTable {
  readonly requester: string;
  readonly until_ms: number;
}

export interface AuthorizationCodeTable {
  readonly id: string;
  /** SHA-256 of the whole code, hexadecimal. */
  readonly hash: string;
  readonly grant_id: string;
  readonly redirect_uri: string;
  /** SHA-256 of the client's verifier, base64url (RFC 7636). */
  readonly challenge: string;
  readonly openid: number;
  readonly nonce: string | null;
  /** The end of the grant once the code is redeemed. */
  readonly grant_expires_ms: number;
  readonly expires_ms: number;
  readonly used_ms: number | null;
}
