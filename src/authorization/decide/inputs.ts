// Reads nginx's input headers, and never a raw Cookie, Authorization or X-Forwarded-* header.
import type { IncomingHttpHeaders } from 'node:http';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { INPUT } from '../../contract/names.ts';

/** Every INPUT header as text. An absent header is empty, and so is a repeated one, which nginx never sends. */
export function parseEdgeInputs(headers: IncomingHttpHeaders): EdgeInputs {
  const read = (name: string): string => {
    const value = headers[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    requestId: read(INPUT.requestId),
    host: read(INPUT.host),
    listener: read(INPUT.listener),
    address: read(INPUT.address),
    authorization: read(INPUT.authorization),
    token: read(INPUT.token),
    session: read(INPUT.session),
    certificate: read(INPUT.certificate),
    sameOrigin: read(INPUT.sameOrigin) === '1',
    foreignOrigin: read(INPUT.sameOrigin) === '0',
    method: read(INPUT.method),
    operation: read(INPUT.operation),
    path: read(INPUT.path),
    args: read(INPUT.args),
  };
}

/** True when the request carries anything that claims to be a credential. */
export function carriesCredential(inputs: EdgeInputs): boolean {
  return [inputs.authorization, inputs.token, inputs.session, inputs.certificate].some((value) => value !== '');
}

/** The key of a decision: the same inputs, in the same order, as the cache key in nginx/decision.conf. */
export function decisionKey(inputs: EdgeInputs): string {
  return [
    inputs.host,
    inputs.listener,
    inputs.address,
    inputs.authorization,
    inputs.token,
    inputs.session,
    inputs.certificate,
    inputs.sameOrigin ? '1' : inputs.foreignOrigin === true ? '0' : '',
    inputs.operation,
    inputs.path,
    inputs.args,
  ].join('|');
}
