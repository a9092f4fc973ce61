import { ErrorNotice } from './error-notice.tsx';
import { Explanation } from './explanation.tsx';
import type { LedgerRecord } from './record-words.ts';
import { UntrustedText } from './untrusted-text.tsx';
import { useRevisited } from './use-revisited.ts';
import { ViewLoading } from './view-loading.tsx';

/** Why a recorded request was allowed or denied. */
export function WhyRecord({ record: { decision, request_id: request, policies } }: { readonly record: LedgerRecord }) {
  if (request === null) return null;
  if (decision === 'deny') return <WhyDenied key={request} requestId={request} />;
  return decision === 'allow' && policies.length > 0 ? <WhyAllowed key={request} requestId={request} /> : null;
}

/** The same question decided now, and what would change the answer. */
function WhyDenied({ requestId }: { readonly requestId: string }) {
  const { data, error } = useRevisited(requestId);
  if (error !== null) return <ErrorNotice error={error} />;
  if (data === undefined) return <ViewLoading />;
  return (
    <section className="stack explanation" aria-label="Explanation">
      {data.changed && <p className="notice warning">The rights have changed since: now the decision is another one.</p>}
      {data.now !== null && <Explanation explained={data.now} />}
      {data.notes.map((note) => (
        <p key={note}>
          <UntrustedText text={note} longest={400} />
        </p>
      ))}
    </section>
  );
}

/** No record has the scope of the role that allowed a request: it is that of today. Nothing for a reader who may not see the roles of others. */
function WhyAllowed({ requestId }: { readonly requestId: string }) {
  const explained = useRevisited(requestId).data?.now?.explanation;
  if (explained === undefined || explained.principal.roles.length === 0) return null;
  return (
    <section className="explanation" aria-label="Explanation">
      <p>
        {explained.decision === 'allow' ? 'Today: ' : 'The rights have changed since. Today it is denied: '}
        <UntrustedText text={explained.detail} longest={500} />
      </p>
    </section>
  );
}
