import { useUrlState } from '../../app/url-state.ts';
import { PageHead } from '../../parts/page-head.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { MatrixTab } from './matrix.tsx';
import { RequestTab } from './request.tsx';
import { UnusedTab } from './unused.tsx';
import { WhoCanTab } from './who-can.tsx';
import './access.css';

const TABS = [
  { value: 'matrix', title: 'Matrix' },
  { value: 'who', title: 'Who can' },
  { value: 'unused', title: 'Unused rights' },
  { value: 'request', title: 'Explain a request' },
] as const;

const SHOWN: Readonly<Record<string, () => React.JSX.Element>> = { who: WhoCanTab, unused: UnusedTab, request: RequestTab };

export default function AccessView() {
  const [tab] = useUrlState('tab', 'matrix');
  const Shown = SHOWN[tab] ?? MatrixTab;
  return (
    <>
      <PageHead title="Access" about="Who may do what, and why. Select a cell to see its policies, and what would change the answer." />
      <Tabs label="Access" name="tab" shown={tab} tabs={TABS} />
      <Shown />
    </>
  );
}
