// A call that waits for an approval: a client that can open a page gets the address of the page, and repeats the call afterwards.
import { type InputRequiredResult, inputRequired } from '@modelcontextprotocol/server';
import type { Sealer } from '../../config/keys/sealer.ts';
import type { ToolRequester } from './calls.ts';
import type { ToolError } from './refusal.ts';

export interface Waiting {
  askFor(error: ToolError): InputRequiredResult;
  /** Of the state that the client sends back. Throws when it is not one that this principal and credential got. */
  verify(state: string): string;
}

/** The state only says that the client has been at the page: the approval itself decides whether the repeated call may pass. */
export function createWaiting(sealer: Sealer, { principal, credential }: Pick<ToolRequester, 'principal' | 'credential'>): Waiting {
  const about = JSON.stringify(['mcp-approval', principal.id, credential.id]);
  return {
    askFor({ approval_id: id = '', url = '', expires_at: expires = '' }) {
      const message = `A person must approve this call before ${expires}. It runs after that.`;
      return inputRequired({ inputRequests: { approval: inputRequired.elicitUrl({ message, url }) }, requestState: sealer.seal(id, about) });
    },
    verify(state) {
      const id = sealer.open(state, about);
      if (id === undefined) throw new Error('the state of the request was altered, or belongs to another principal');
      return id;
    },
  };
}
