import { useEffect, useEffectEvent, useId } from 'react';
import { useMe, whyNot } from '../../app/session.ts';
import { useChangeUrl, useUrlState } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { TextField } from '../../parts/fields.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Completeness } from './completeness.tsx';
import { Downloads } from './downloads.tsx';
import { ReportDocument } from './report-document.tsx';
import { periodProblem, periods, progressWords } from './steps.ts';
import { type Evidence, useEvidence } from './use-evidence.ts';
import './evidence.css';

/** The access review and audit report of a period, and whether the ledger is unchanged. */
export default function EvidenceView() {
  const evidence = useEvidence();
  const { current } = evidence;
  const missing = useMissing();
  useAskedFor(evidence, missing === undefined);
  return (
    <>
      <div className="no-print">
        <PageHead
          title="Evidence"
          about="The access review and audit report of a period, for SOC 2 and ISO 27001, and the proof that the ledger is complete."
        />
        <div className="stack">
          <Completeness evidence={evidence} missing={missing} />
          <Ask evidence={evidence} missing={missing} />
          {current?.isRunning === true && <RunningNotice evidence={evidence} />}
          {current !== undefined && current.error !== null && <ErrorNotice error={current.error} />}
          {current?.outcome.refusal !== undefined && <p className="notice danger">{current.outcome.refusal}</p>}
          {current?.outcome.report !== undefined && <Downloads report={current.outcome.report} />}
        </div>
      </div>
      {current?.outcome.report !== undefined && <ReportDocument document={current.outcome.report.document} />}
    </>
  );
}

/** A link of another view asks for the verification. It begins at once, and not again after a reload. */
function useAskedFor({ verify }: Evidence, isAllowed: boolean): void {
  const [asked, setAsked] = useUrlState('verify');
  const start = useEffectEvent(() => {
    setAsked('', { replace: true });
    if (isAllowed) verify();
  });
  useEffect(() => {
    if (asked !== '') start();
  }, [asked]);
}

/** Why the person may not read every record. */
function useMissing(): string | undefined {
  const me = useMe();
  const isOwn = me.rights['ledger.read']?.own_objects_only === true;
  return whyNot(me, 'access.read') ?? (isOwn ? 'This needs the right ledger.read on everything.' : whyNot(me, 'ledger.read'));
}

function Ask({ evidence, missing }: { readonly evidence: Evidence; readonly missing: string | undefined }) {
  const [first, ...others] = periods(Date.now());
  const [from, setFrom] = useUrlState('from', first.from);
  const [to, setTo] = useUrlState('to', first.to);
  const change = useChangeUrl();
  const problem = periodProblem(from, to, Date.now());
  const isRunning = evidence.current?.isRunning === true;
  return (
    <form
      className="card ask"
      onSubmit={(event) => {
        event.preventDefault();
        if (problem === undefined && missing === undefined && !isRunning) evidence.report({ from, to });
      }}
    >
      <h2>Report of a period</h2>
      <TextField label="First day" type="date" value={from} onChange={setFrom} />
      <TextField label="Last day" type="date" value={to} onChange={setTo} error={problem} />
      <div className="row">
        <Button small kind="quiet" onPress={() => change({ from: '', to: '' })}>
          {first.text}
        </Button>
        {others.map((period) => (
          <Button key={period.text} small kind="quiet" onPress={() => change({ from: period.from, to: period.to })}>
            {period.text}
          </Button>
        ))}
      </div>
      <div className="row end">
        <Button kind="primary" submits whyNot={missing} isPending={isRunning}>
          Make the report
        </Button>
      </div>
    </form>
  );
}

function RunningNotice({ evidence: { current } }: { readonly evidence: Evidence }) {
  const id = useId();
  return (
    <div className="notice">
      <div className="running">
        <p id={id} role="status">
          <strong>{current?.what === 'report' ? 'Making the report' : 'Verifying the ledger'}</strong> {progressWords(current?.outcome.progress)}
        </p>
        <progress aria-labelledby={id} />
      </div>
    </div>
  );
}
