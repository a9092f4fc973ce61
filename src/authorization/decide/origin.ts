// Cross-site requests: a browser sends a cookie or a client certificate along from anywhere, so that the page behind it must be ours.
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Credential } from '../../contract/principal.ts';

/**
 * A session must prove this origin (nginx asks the same before its cache). Programs with a certificate send neither Origin nor
 * Sec-Fetch-Site; a browser that has one sends at least one of them from a page of another origin.
 */
export function isForeign({ carrier }: Pick<Credential, 'carrier'>, { sameOrigin, foreignOrigin }: Pick<EdgeInputs, 'sameOrigin' | 'foreignOrigin'>): boolean {
  if (carrier === 'session') return !sameOrigin;
  return carrier === 'certificate' && foreignOrigin === true;
}

/** Reads need no check here: no answer of the gateway allows another origin to read it (CORS). */
export function isForeignWrite(credential: Pick<Credential, 'carrier'>, inputs: EdgeInputs, method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && isForeign(credential, inputs);
}
