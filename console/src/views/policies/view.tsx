// Policies: the set in force, a draft of the next one, its effect before it is applied, and the sets before.
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue } from 'react';
import { useUrlState } from '../../app/url-state.ts';
import { Dialogs } from './dialogs.tsx';
import { EditTab } from './edit-tab.tsx';
import { EffectTab } from './effect-tab.tsx';
import { Header } from './header.tsx';
import { HistoryTab } from './history-tab.tsx';
import { Notices } from './notices.tsx';
import './policies.css';
import { reportQuery } from './queries.ts';
import { usePolicyDraft } from './use-policy-draft.ts';
import { useQuiet } from './use-quiet.ts';
import { useSimulation } from './use-simulation.ts';

/** So long after the last key the gateway checks the text. */
const QUIET_MS = 400;

export default function PoliciesView() {
  const draft = usePolicyDraft();
  const simulation = useSimulation();
  const [tab] = useUrlState('tab', 'edit');
  const quiet = useQuiet(useDeferredValue(draft.files), QUIET_MS);
  const report = useQuery(reportQuery(quiet, draft.inForce.revision));
  const shown = { draft, simulation, report: report.data, isChecking: quiet !== draft.files || report.isFetching };
  return (
    <div className="policies">
      <Header {...shown} />
      <Notices draft={draft} error={report.error} />
      {tab === 'effect' ? <EffectTab {...shown} /> : tab === 'history' ? <HistoryTab inForce={draft.inForce} /> : <EditTab {...shown} />}
      <Dialogs {...shown} />
    </div>
  );
}
