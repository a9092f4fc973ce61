import { useChangeUrl, useUrlState } from '../../app/url-state.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import type { PolicyDraft } from './use-policy-draft.ts';

/** What a person must know before more is typed. */
export function Notices({ draft, error }: { readonly draft: PolicyDraft; readonly error: Error | null }) {
  const changeUrl = useChangeUrl();
  const [applied] = useUrlState('applied');
  const { revision, by } = draft.inForce;
  return (
    <div className="policies-notices">
      {applied !== '' && Number(applied) === draft.inForce.current_revision && (
        <p className="notice success" role="status">
          <strong>Revision {applied} is in force.</strong> Every decision from now on has its number.
        </p>
      )}
      {error !== null && <ErrorNotice error={error} />}
      {draft.isOutdated && (
        <div className="notice warning" role="status">
          <p>
            <strong>Revision {revision} came into force while you were writing.</strong> {by} applied it. Your draft is based on revision {draft.draft?.base},
            and it is kept.
          </p>
          <button type="button" className="button" onClick={() => changeUrl({ dialog: 'conflict' })}>
            Compare and continue
          </button>
        </div>
      )}
    </div>
  );
}
