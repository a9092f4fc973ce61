// Parses a decision's facts in the access log, each text once.
import { LRUCache } from 'lru-cache';
import { decodeFacts } from '../../contract/facts.ts';
import type { AccessFacts } from '../../contract/names.ts';

/** Most lines of a busy minute have one of a few texts. */
const cache = new LRUCache<string, AccessFacts>({ max: 1_000 });

/** Undefined: missing or unreadable. The request then counts as undecided, never as allowed. */
export function parseFacts(encoded: string | null): AccessFacts | undefined {
  if (encoded === null) return undefined;
  const facts = cache.get(encoded) ?? readFacts(encoded);
  cache.set(encoded, facts);
  return facts;
}

function readFacts(encoded: string): AccessFacts | undefined {
  const facts = decodeFacts(encoded);
  if (facts === undefined || (facts.decision !== 'allow' && facts.decision !== 'deny')) return undefined;
  return {
    principal: text(facts.principal),
    principal_kind: text(facts.principal_kind),
    idp: text(facts.idp),
    credential_id: text(facts.credential_id),
    on_behalf_of: list(facts.on_behalf_of),
    decision: facts.decision,
    reason: text(facts.reason) ?? '',
    policies: list(facts.policies),
    action: text(facts.action),
    revision: typeof facts.revision === 'number' && Number.isSafeInteger(facts.revision) ? facts.revision : 0,
    session_id: text(facts.session_id),
    ...(facts.mode === 'observe' && { mode: facts.mode }),
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
