// A successful answer of the token endpoint: first recorded, then issued.
import type { Principal } from '../../contract/principal.ts';
import type { RecordedGrant } from '../../contract/record.ts';
import type { Form } from './form.ts';
import type { OAuthRefusal } from './refusal.ts';

/** The body of the answer. */
export type Given = Readonly<Record<string, string | number | Act>>;

/** RFC 8693 4.1. */
export interface Act {
  readonly sub: string;
  readonly act?: Act;
}

export interface Issued {
  readonly ok: true;
  readonly principal: Pick<Principal, 'id' | 'kind' | 'idp'> & Partial<Pick<Principal, 'onBehalfOf'>>;
  /** Credential id of the presented proof. */
  readonly proofId: string;
  readonly tokenId: string;
  readonly grantId?: string;
  /** The roles that it carries. Left out: those of an earlier login. */
  readonly grants?: readonly RecordedGrant[];
  /** Issues the token: after this it is valid. A refusal: the proof was used meanwhile. */
  issue(): Promise<Given | OAuthRefusal>;
}

/** `address`: the client's address. */
export type Grant = (form: Form, address: string) => Promise<Issued | OAuthRefusal>;

export function isRefusal(answer: Given | OAuthRefusal): answer is OAuthRefusal {
  return 'ok' in answer && answer.ok === false;
}
