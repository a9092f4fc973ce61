import type { FormEvent } from 'react';
import { useDraft } from '../../app/drafts.ts';
import { useChangeUrl, useUrlState } from '../../app/url-state.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Difference } from './history-tab.tsx';
import type { Policies } from './shapes.ts';
import { useRollBack } from './use-apply.ts';
import { WhyField } from './why-field.tsx';

export function RollbackDialog({ inForce, close }: { readonly inForce: Policies; readonly close: () => void }) {
  const [text] = useUrlState('revision');
  const revision = Number(text);
  const why = useDraft('policies-rollback-why', '');
  const changeUrl = useChangeUrl();
  const rollBack = useRollBack(({ to }) => {
    why.drop();
    changeUrl({ dialog: '', revision: '', against: '', applied: `${to}` }, { replace: true });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!rollBack.isPending) rollBack.mutate({ base: inForce.revision, revision, why: why.text });
  };
  if (!/^\d+$/.test(text)) return null;
  return (
    <Dialog title={`Roll back to revision ${revision}`} onClose={close} wide>
      <form className="policies-dialog" onSubmit={submit}>
        <p>The policies of revision {revision} come into force again, as a new revision. This changes:</p>
        <Difference from={inForce.revision} to={revision} />
        <WhyField why={why.text} setWhy={why.setText} />
        {rollBack.error !== null && <ErrorNotice error={rollBack.error} />}
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button primary" aria-disabled={rollBack.isPending}>
            {rollBack.isPending ? 'Rolling back …' : 'Roll back'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
