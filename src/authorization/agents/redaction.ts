// Secrets in answers of Prefect do not reach an agent, whatever client it uses.

import type { Redactor } from '../../contract/untrusted/redact.ts';
import { redactBody } from '../../contract/untrusted/redact-body.ts';
import type { Condition } from '../mediate/conditions.ts';
import type { AgentBook } from './agent-book.ts';

export interface RedactionParts {
  readonly book: Pick<AgentBook, 'of'>;
  readonly redactor: () => Promise<Redactor>;
}

/** Not for its runs: their code needs the parameters as they are. The MCP endpoint redacts the answers of its tools itself, after it has cleaned them. */
export function createRedaction({ book, redactor }: RedactionParts): Condition {
  return {
    concerns: (principal) => principal.kind !== 'run' && book.of(principal).length > 0,
    async check({ call: { operation }, tool }) {
      if (tool !== null || operation.group === 'baseline' || operation.operationId.startsWith('docs:')) return { ok: true };
      return {
        ok: true,
        async bodyFor({ headers, body }) {
          const redacted = await redactBody(body, headers['content-type'] ?? '', await redactor());
          return { body: redacted.body, record: { redactions: redacted.redactions || null } };
        },
      };
    },
  };
}
