// The run at the top of its timeline: its state, who started it and how, and what that is known by.
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { ROOT } from '../../app/base.ts';
import { useUrlState } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { policyWords } from '../../parts/policy-words.ts';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { ENDED, type Row } from './row.ts';
import styles from './run.module.css';
import { RunCancelled } from './run-cancelled.tsx';
import { StateTag } from './state-tag.tsx';
import type { Head } from './use-timeline.ts';
import { chain, span, utc } from './words.ts';

type Start = Head['started_by'];

export function RunHead({ head, state }: { readonly head: Head; readonly state: Row | undefined }) {
  const stateType = state?.state_type ?? null;
  const name = head.name ?? head.id;
  useEffect(() => {
    document.title = `${name} · Lictor`;
  }, [name]);
  // Requests about a run go on after its end.
  const lastAt = state !== undefined && ENDED.includes(stateType) ? state.time : head.last_at;
  const lasted = head.first_at === null || lastAt === null ? null : Date.parse(lastAt) - Date.parse(head.first_at);
  return (
    <header>
      <div className={styles['name']}>
        <h1>
          <UntrustedText text={name} />
        </h1>
        {head.state !== null && <StateTag name={head.state} type={stateType} />}
        {lasted !== null && <span className="muted">{span(lasted)}</span>}
        {head.readable ? (
          <a className="button" href={`${ROOT}/runs/flow-run/${encodeURIComponent(head.id)}`}>
            Open in Prefect
          </a>
        ) : (
          <span className={styles['barred']}>
            <Button
              whyNot={head.prefect === 'unknown' ? 'Prefect does not answer.' : 'You may not read this run in Prefect: that needs the role viewer for it.'}
            >
              Open in Prefect
            </Button>
          </span>
        )}
      </div>
      {head.name === null && <FoundBy id={head.id} />}
      <p className={styles['started']}>
        <Started start={head.started_by} />
      </p>
      <RunCancelled by={head.cancelled_by} stateType={stateType} />
      {noteOf(head) !== null && <p className={styles['note']}>{noteOf(head)}</p>}
    </header>
  );
}

/** For a reader who may not read names: the one that the address has, if the gateway finds this run by it. */
function FoundBy({ id }: { readonly id: string }) {
  const [text] = useUrlState('found');
  const { data } = useQuery({
    queryKey: ['runs', 'found', text],
    queryFn: ({ signal }) => answerOf(api.GET('/runs', { params: { query: { text } }, signal })),
    enabled: text !== '' && !id.startsWith(text),
  });
  if (data?.runs.some((run) => run.id === id) !== true) return null;
  return (
    <p className={styles['started']}>
      Found by its exact name <Name text={text} />
    </p>
  );
}

function Started({ start }: { readonly start: Start }): ReactNode {
  const { route, by, principal, on_behalf_of: behalf, source_ip: address, action, policies, time, parent } = start;
  if (route === 'schedule') return <>Started by Prefect's scheduler{by !== null && <>: {by.name ?? by.id}</>}</>;
  if (route === 'automation')
    return (
      <>
        Started by the automation <Name text={by?.name ?? by?.id ?? ''} />
        {by?.made_by != null && (
          <>
            , which <Name text={by.made_by} /> made
          </>
        )}
      </>
    );
  if (principal === null) return parent === null ? <>The gateway did not see who started it.</> : <Parent start={start} />;
  return (
    <>
      Started by <Name text={chain(principal, behalf)} />
      {address !== null && <> from {address}</>}
      {time !== null && <> at {utc(time)} UTC</>}
      {action !== null && (
        <>
          , as <code>{action}</code>
        </>
      )}
      {policies.length > 0 && <> by {policyWords(policies)}</>}
      <Parent start={start} />
    </>
  );
}

function Parent({ start: { parent } }: { readonly start: Start }): ReactNode {
  if (parent === null) return null;
  return (
    <>
      {' '}
      in the run <Name text={parent.name ?? parent.flow_run_id} />
      {parent.start.principal !== null && (
        <>
          , which <Name text={chain(parent.start.principal, parent.start.on_behalf_of)} /> started
        </>
      )}
    </>
  );
}

function Name({ text }: { readonly text: string }) {
  return (
    <b>
      <UntrustedText text={text} />
    </b>
  );
}

/** The limits of the evidence. */
function noteOf({ started_by: { contradicting_label: label, evidence }, prefect }: Head): string | null {
  if (label !== null) return `A label in Prefect names ${label}. The ledger's own record of the creation is shown.`;
  if (evidence === 'label') return 'This is what a label in Prefect says. The ledger has no record of the creation.';
  if (prefect === 'no') return 'Prefect does not know this run any more. This is what the ledger has.';
  if (prefect === 'unknown') return 'Prefect does not answer. This is what the ledger and the stored events have.';
  return null;
}
