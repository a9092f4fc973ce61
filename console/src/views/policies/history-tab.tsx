import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useChangeUrl, useUrlState } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { Patches } from './patch.tsx';
import { diffQuery, historyQuery } from './queries.ts';
import type { Policies, PolicySetHead } from './shapes.ts';
import { useRight } from './use-right.ts';
import { When } from './when.tsx';

/** The sets that came into force, and what each of them changed. */
export function HistoryTab({ inForce }: { readonly inForce: Policies }) {
  const { data, error, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(historyQuery);
  const sets = data?.pages.flatMap((page) => page.sets) ?? [];
  const [chosen] = useUrlState('revision', sets[0] === undefined ? '' : `${sets[0].revision}`);
  const at = sets.findIndex(({ revision }) => `${revision}` === chosen);
  if (error !== null) return <ErrorNotice error={error} />;
  if (data !== undefined && sets.length === 0)
    return <EmptyState title="No set of policies has come into force yet">Apply a first one here, or with lictor policy apply on the gateway.</EmptyState>;
  return (
    <div className="policies-history">
      <div className="policies-sets">
        <ol aria-label="Sets of policies, newest first">
          {sets.map((set) => (
            <SetRow key={set.revision} set={set} isChosen={`${set.revision}` === chosen} isInForce={set.revision === inForce.revision} />
          ))}
        </ol>
        {hasNextPage && (
          <button type="button" className="button" disabled={isFetchingNextPage} onClick={() => fetchNextPage()}>
            Earlier sets
          </button>
        )}
      </div>
      {sets[at] !== undefined && <SetDetails set={sets[at]} inForce={inForce} />}
    </div>
  );
}

function SetRow({ set, isChosen, isInForce }: { readonly set: PolicySetHead; readonly isChosen: boolean; readonly isInForce: boolean }) {
  const [, choose] = useUrlState('revision');
  return (
    <li>
      <button type="button" aria-current={isChosen ? 'true' : undefined} onClick={() => choose(`${set.revision}`)}>
        <span className="policies-revision">{set.revision}</span>
        <span className="policies-why">{set.why === '' ? <em>no reason given</em> : <UntrustedText text={set.why} />}</span>
        {isInForce && <span className="policies-badge allow">in force</span>}
        <span className="policies-by">
          <UntrustedText text={set.by ?? ''} />, <When time={set.applied_at} />
        </span>
      </button>
    </li>
  );
}

interface SetDetailsProps {
  readonly set: PolicySetHead;
  readonly inForce: Policies;
}

function SetDetails({ set, inForce }: SetDetailsProps) {
  const [against, setAgainst] = useUrlState('against', 'before');
  const isCurrent = set.revision === inForce.revision;
  const [from, to] = against === 'now' && !isCurrent ? [set.revision, inForce.revision] : [set.revision - 1, set.revision];
  return (
    <section className="policies-set" aria-label={`Revision ${set.revision}`}>
      <div className="policies-set-head">
        <h2>Revision {set.revision}</h2>
        {isCurrent ? (
          set.revision > 1 && <RollBack revision={set.revision - 1} />
        ) : (
          <>
            <label>
              Show
              <select className="input" value={against} onChange={({ target }) => setAgainst(target.value)}>
                <option value="before">what it changed</option>
                <option value="now">what has changed since</option>
              </select>
            </label>
            <RollBack revision={set.revision} />
          </>
        )}
      </div>
      <Difference from={from} to={to} />
    </section>
  );
}

function RollBack({ revision }: { readonly revision: number }) {
  const right = useRight('policies.write');
  const changeUrl = useChangeUrl();
  return (
    <Button whyNot={right.allowed ? undefined : right.why} onPress={() => changeUrl({ dialog: 'rollback', revision: `${revision}` })}>
      Roll back to {revision}
    </Button>
  );
}

/** Of two revisions; 0 stands for no own policies. */
export function Difference({ from, to }: { readonly from: number; readonly to: number }) {
  const { data, error } = useQuery(diffQuery(from, to));
  if (error !== null) return <ErrorNotice error={error} />;
  return data === undefined ? <p role="status">Comparing …</p> : <Patches patches={data.patches} />;
}
