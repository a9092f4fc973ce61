import type { FormEvent } from 'react';
import { useDraft } from '../../app/drafts.ts';
import { useChangeUrl } from '../../app/url-state.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Numbers } from './effect-result.tsx';
import { Patches } from './patch.tsx';
import { obstacleToApply, type Shown } from './shown.ts';
import { isConflict, useApply } from './use-apply.ts';
import { useRight } from './use-right.ts';
import { WhyField } from './why-field.tsx';

export function ApplyDialog({ close, ...shown }: Shown & { readonly close: () => void }) {
  const { draft, report } = shown;
  const why = useDraft('policies-why', '');
  const changeUrl = useChangeUrl();
  const obstacle = obstacleToApply(shown, useRight('policies.write'));
  const apply = useApply(({ to }) => {
    why.drop();
    draft.discard();
    changeUrl({ dialog: '', applied: `${to}` }, { replace: true });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (obstacle === undefined) apply.mutate({ base: draft.draft?.base ?? 0, files: draft.files, why: why.text });
  };
  return (
    <Dialog title="Apply this draft" onClose={close} wide>
      <form className="policies-dialog" onSubmit={submit}>
        <EffectSummary {...shown} />
        <Patches patches={report?.patches ?? []} />
        <WhyField why={why.text} setWhy={why.setText} />
        {apply.error !== null && !isConflict(apply.error) && <ErrorNotice error={apply.error} />}
        <div className="dialog-buttons">
          {obstacle !== undefined && <p className="policies-obstacle">{obstacle}</p>}
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button primary" aria-disabled={obstacle !== undefined || apply.isPending}>
            {apply.isPending ? 'Applying …' : 'Apply'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function EffectSummary({ simulation: { state }, draft }: Shown) {
  const changeUrl = useChangeUrl();
  if (state.status === 'done' && JSON.stringify(state.files) === JSON.stringify(draft.files)) return <Numbers simulation={state.simulation} />;
  return (
    <p className="notice info">
      The effect of this text on recorded decisions is not simulated yet.{' '}
      <button type="button" className="button quiet small" onClick={() => changeUrl({ dialog: '', tab: 'effect' })}>
        Simulate it
      </button>
    </p>
  );
}
