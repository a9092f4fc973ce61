import { useChangeUrl, useUrlState } from '../../app/url-state.ts';
import { usePageTitle } from '../../parts/page-head.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { obstacleToApply, type Shown } from './shown.ts';
import { useRight } from './use-right.ts';
import { When } from './when.tsx';

const TABS = [
  ['edit', 'Edit'],
  ['effect', 'Effect'],
  ['history', 'History'],
] as const;

export function Header(shown: Shown) {
  const { draft } = shown;
  const changeUrl = useChangeUrl();
  usePageTitle('Policies');
  const obstacle = obstacleToApply(shown, useRight('policies.write'));
  return (
    <header className="policies-header">
      <div className="policies-title">
        <h1>Policies</h1>
        <InForce draft={draft} />
      </div>
      <Tabs />
      <div className="policies-actions">
        {draft.draft !== undefined && (
          <button type="button" className="button quiet" onClick={() => changeUrl({ dialog: 'discard' })}>
            Discard draft
          </button>
        )}
        <button
          type="button"
          className="button primary"
          aria-disabled={obstacle !== undefined}
          aria-describedby={obstacle === undefined ? undefined : 'policies-obstacle'}
          onClick={() => obstacle === undefined && changeUrl({ dialog: 'apply' })}
        >
          Review and apply
        </button>
        <p id="policies-obstacle" className="policies-obstacle">
          {obstacle}
        </p>
      </div>
    </header>
  );
}

function InForce({ draft: { inForce } }: Pick<Shown, 'draft'>) {
  if (inForce.revision === 0) return <p className="policies-since">Only the built-in policies are in force.</p>;
  return (
    <p className="policies-since">
      <strong>Revision {inForce.revision}</strong> since <When time={inForce.applied_at} />, applied by <UntrustedText text={inForce.by ?? ''} />
      {inForce.why !== '' && (
        <>
          {': '}
          <q>
            <UntrustedText text={inForce.why} />
          </q>
        </>
      )}
    </p>
  );
}

function Tabs() {
  const [tab, setTab] = useUrlState('tab', 'edit');
  return (
    <nav className="policies-tabs" aria-label="Parts of this view">
      {TABS.map(([name, title]) => (
        <button key={name} type="button" aria-current={tab === name ? 'page' : undefined} onClick={() => setTab(name)}>
          {title}
        </button>
      ))}
    </nav>
  );
}
