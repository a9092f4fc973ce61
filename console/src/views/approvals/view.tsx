import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { segment } from '../../app/own-path.ts';
import { can, useMe } from '../../app/session.ts';
import { useItemId, useUrlState } from '../../app/url-state.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { ApprovalList } from './approval-list.tsx';
import { ApprovalPanel } from './approval-panel.tsx';
import { approvalsQuery } from './queries.ts';
import { useNow } from './use-now.ts';
import { isWaiting } from './words.ts';
import './approvals.css';

/** Requests that wait for a person, and those that were decided. */
export default function ApprovalsView() {
  const me = useMe();
  const seesAll = can(me, 'ledger.read') && me.rights['ledger.read']?.own_objects_only !== true;
  const { data, error } = useQuery(approvalsQuery(seesAll ? 'all' : 'mine'));
  const [shown] = useUrlState('show', 'waiting');
  const id = useItemId();
  const open = useOpen();
  const now = useNow();
  const waiting = data?.filter((each) => isWaiting(each, now)) ?? [];
  const over = data?.filter((each) => !isWaiting(each, now)) ?? [];
  return (
    <>
      <PageHead title="Approvals" about="Requests that a rule holds until a person decides. An approval lets the same request pass once." />
      <Tabs
        label="Approvals"
        name="show"
        shown={shown}
        tabs={[
          { value: 'waiting', title: `Waiting${waiting.length === 0 ? '' : ` (${waiting.length})`}` },
          { value: 'decided', title: 'Decided' },
        ]}
      />
      <div className={id === undefined ? undefined : 'beside approvals'}>
        <div className="stack">
          {error !== null && <ErrorNotice error={error} />}
          {data === undefined && error === null && <ViewLoading />}
          {data !== undefined && (
            <ApprovalList approvals={shown === 'decided' ? over : waiting} isDecided={shown === 'decided'} selected={id} onSelect={open} now={now} />
          )}
        </div>
        {id !== undefined && <ApprovalPanel key={id} id={id} onClose={() => open(undefined)} now={now} />}
      </div>
    </>
  );
}

/** Shows one approval beside the list, or none. */
function useOpen(): (id: string | undefined) => void {
  const navigate = useNavigate();
  return (id) => {
    navigate({
      to: id === undefined ? '/approvals' : `/approvals/${segment(id)}`,
      search: ({ show }: { show?: string }) => (show === undefined ? {} : { show }),
      resetScroll: false,
    });
  };
}
