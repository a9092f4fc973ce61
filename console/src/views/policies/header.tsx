import { useChangeUrl, useUrlState } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { obstacleToApply, type Shown } from './shown.ts';
import { useRight } from './use-right.ts';
import { When } from './when.tsx';

const TABS = [
  { value: 'edit', title: 'Edit' },
  { value: 'effect', title: 'Effect' },
  { value: 'history', title: 'History' },
] as const;

export function Header(shown: Shown) {
  const { draft } = shown;
  const changeUrl = useChangeUrl();
  const [tab] = useUrlState('tab', 'edit');
  return (
    <header>
      <PageHead title="Policies" about={<InForce draft={draft} />}>
        {draft.draft !== undefined && (
          <Button kind="quiet" onPress={() => changeUrl({ dialog: 'discard' })}>
            Discard draft
          </Button>
        )}
        <Button kind="primary" whyNot={obstacleToApply(shown, useRight('policies.write'))} onPress={() => changeUrl({ dialog: 'apply' })}>
          Review and apply
        </Button>
      </PageHead>
      <Tabs label="Policies" name="tab" shown={tab} tabs={TABS} />
    </header>
  );
}

function InForce({ draft: { inForce } }: Pick<Shown, 'draft'>) {
  if (inForce.revision === 0) return 'Only the built-in policies are in force.';
  return (
    <>
      <strong>Revision {inForce.revision}</strong> since <When time={inForce.applied_at} />, applied by <UntrustedText text={inForce.by ?? ''} />
      {inForce.why !== '' && (
        <>
          {': '}
          <q>
            <UntrustedText text={inForce.why} />
          </q>
        </>
      )}
    </>
  );
}
