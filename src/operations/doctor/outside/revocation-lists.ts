// The revocation lists of client certificates: when one is expired, nginx rejects every certificate.
import { readFileSync } from 'node:fs';
import { readRevocationLists } from '../../../identity/authn/certificate/read.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

const SOON_MS = 2 * 86_400_000;
const REMEDY = 'Write a current list of each authority there. Lictor reads it within a minute.';

export function checkRevocationLists(crlFile: string, nowMs: number): Verdict {
  const first = earliestEnd(crlFile);
  if (first === undefined) return fail(`${crlFile} cannot be read as revocation lists in PEM`, REMEDY);
  if (first === Number.POSITIVE_INFINITY) return ok('the revocation lists have no expiry');
  const day = new Date(first).toISOString();
  if (first <= nowMs) return fail(`a list in ${crlFile} expired on ${day}: nginx rejects every client certificate`, REMEDY);
  return first - nowMs < SOON_MS ? warn(`a list in ${crlFile} expires on ${day}`, REMEDY) : ok(`the revocation lists are valid until ${day}`);
}

function earliestEnd(crlFile: string): number | undefined {
  try {
    return Math.min(...readRevocationLists(readFileSync(crlFile, 'utf8')).map(({ nextUpdateMs }) => nextUpdateMs ?? Number.POSITIVE_INFINITY));
  } catch {
    return undefined;
  }
}
