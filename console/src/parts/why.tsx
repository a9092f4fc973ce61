import { ErrorNotice } from './error-notice.tsx';
import { Explanation } from './explanation.tsx';
import type { LedgerRecord } from './record-words.ts';
import { RolesToday } from './roles-today.tsx';
import { UntrustedText } from './untrusted-text.tsx';
import { useRevisited } from './use-revisited.ts';
import { ViewLoading } from './view-loading.tsx';

/** A denial is explained. For a request that a role allowed: on what the role holds. */
export function WhyRecord({ record: { decision, request_id: request, policies } }: { readonly record: LedgerRecord }) {
  if (request === null) return null;
  if (decision === 'deny') return <Why key={request} requestId={request} />;
  return (
    <p className="muted">
      <RolesToday key={request} requestId={request} policies={policies} />
    </p>
  );
}

/** Why a recorded request got its answer, and what would change it: the same question decided now. */
function Why({ requestId }: { readonly requestId: string }) {
  const { data, error } = useRevisited(requestId);
  if (error !== null) return <ErrorNotice error={error} />;
  if (data === undefined) return <ViewLoading />;
  return (
    <section className="stack explanation" aria-label="Explanation">
      {data.changed && <p className="notice warning">The rights have changed since: now the decision is another one.</p>}
      {data.notes.map((note) => (
        <p key={note}>
          <UntrustedText text={note} longest={400} />
        </p>
      ))}
      {data.now !== null && <Explanation explained={data.now} />}
    </section>
  );
}
