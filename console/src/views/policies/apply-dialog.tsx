import type { FormEvent } from 'react';
import { useDraft } from '../../app/drafts.ts';
import { useChangeUrl } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogButtons } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { Numbers } from './effect-result.tsx';
import { Patches } from './patch.tsx';
import { obstacleToApply, type Shown } from './shown.ts';
import { effectSentence } from './simulation.ts';
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
        <DialogButtons>
          <Button onPress={close}>Cancel</Button>
          <Button kind="primary" submits isPending={apply.isPending} whyNot={obstacle}>
            {apply.isPending ? 'Applying …' : 'Apply'}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

function EffectSummary({ simulation: { state }, draft }: Shown) {
  const changeUrl = useChangeUrl();
  if (state.status === 'done' && JSON.stringify(state.files) === JSON.stringify(draft.files))
    return (
      <>
        <p className="policies-answer">
          <UntrustedText text={effectSentence(state.simulation)} longest={400} />
        </p>
        <Numbers simulation={state.simulation} />
      </>
    );
  return (
    <p className="notice info">
      The effect of this draft on recorded decisions is not simulated yet.{' '}
      <button type="button" className="button quiet small" onClick={() => changeUrl({ dialog: '', tab: 'effect' })}>
        Simulate it
      </button>
    </p>
  );
}
