import { useUrlState } from '../../app/url-state.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { bothChanged } from './draft.ts';
import { Difference } from './history-tab.tsx';
import type { PolicyDraft } from './use-policy-draft.ts';

/** The second of two editors sees what the first has applied, and loses nothing. */
export function ConflictDialog({ draft, close }: { readonly draft: PolicyDraft; readonly close: () => void }) {
  const { inForce, base } = draft;
  const [, setDialog] = useUrlState('dialog');
  if (draft.draft === undefined || !draft.isOutdated) return null;
  const both = bothChanged(draft.draft, base, inForce.files);
  const moveOn = () => {
    draft.moveOn(inForce);
    setDialog('', { replace: true });
  };
  return (
    <Dialog title="Another set came into force" onClose={close} wide>
      <div className="policies-dialog">
        <p>
          <UntrustedText text={inForce.by ?? ''} /> applied revision {inForce.revision}
          {inForce.why !== '' && (
            <>
              {': '}
              <q>
                <UntrustedText text={inForce.why} />
              </q>
            </>
          )}
          . Your draft is based on revision {draft.draft.base}. This is what changed between them:
        </p>
        <Difference from={draft.draft.base} to={inForce.revision} />
        {both.length > 0 && (
          <p className="notice warning">
            Both of you changed {both.join(', ')}. Your text stays in the editor. Copy what you want to keep of the other text into it before you apply.
          </p>
        )}
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={close}>
            Later
          </button>
          <button type="button" className="button primary" onClick={moveOn}>
            Continue on revision {inForce.revision}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
