import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../api/client.ts';
import { ErrorNotice } from './error-notice.tsx';
import { Explanation } from './explanation.tsx';
import { UntrustedText } from './untrusted-text.tsx';
import { ViewLoading } from './view-loading.tsx';

/** Why a recorded request got its answer, and what would change it: the same question decided now. */
export function Why({ requestId }: { readonly requestId: string }) {
  const { data, error } = useQuery({
    queryKey: ['explain-request', requestId],
    queryFn: ({ signal }) => answerOf(api.GET('/explain/requests/{id}', { params: { path: { id: requestId } }, signal })),
  });
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
