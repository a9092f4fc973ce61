// Cross-site requests: a browser adds its cookie or client certificate to requests of any page, so the page must be Lictor's own.
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Credential } from '../../contract/principal.ts';

/**
 * A session must prove this origin; nginx checks the same before its cache. A program with a certificate sends neither Origin nor
 * Sec-Fetch-Site. A browser with a certificate sends at least one of them from a page of another origin.
 */
export function isForeign({ carrier }: Pick<Credential, 'carrier'>, { sameOrigin, foreignOrigin }: Pick<EdgeInputs, 'sameOrigin' | 'foreignOrigin'>): boolean {
  if (carrier === 'session') return !sameOrigin;
  return carrier === 'certificate' && foreignOrigin === true;
}

/** Reads need no check here: no answer of the gateway allows another origin to read it (CORS). */
export function isForeignWrite(credential: Pick<Credential, 'carrier'>, inputs: EdgeInputs, method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && isForeign(credential, inputs);
}
