import { useId } from 'react';
import { useMe, whyNot } from '../../app/session.ts';
import { useChangeUrl, useUrlState } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { TextField } from '../../parts/fields.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Downloads } from './downloads.tsx';
import { ReportDocument } from './report-document.tsx';
import { lastDays, lastQuarter, periodProblem, progressWords } from './steps.ts';
import { type Evidence, useEvidence } from './use-evidence.ts';
import { VerificationNotice } from './verification-notice.tsx';
import './evidence.css';

/** The access review and audit report of a period, and whether the ledger is unchanged. */
export default function EvidenceView() {
  const evidence = useEvidence();
  const { current } = evidence;
  return (
    <>
      <div className="no-print">
        <PageHead
          title="Evidence"
          about="The access review and audit report of a period, for SOC 2 and ISO 27001, and the proof that the ledger is complete."
        />
        <div className="stack">
          <Ask evidence={evidence} />
          {current?.isRunning === true && <RunningNotice evidence={evidence} />}
          {current !== undefined && current.error !== null && <ErrorNotice error={current.error} />}
          {current?.outcome.refusal !== undefined && <p className="notice danger">{current.outcome.refusal}</p>}
          {current?.outcome.verification !== undefined && <VerificationNotice verification={current.outcome.verification} />}
          {current?.outcome.report !== undefined && <Downloads report={current.outcome.report} />}
        </div>
      </div>
      {current?.outcome.report !== undefined && <ReportDocument document={current.outcome.report.document} />}
    </>
  );
}

function Ask({ evidence }: { readonly evidence: Evidence }) {
  const me = useMe();
  const quarter = lastQuarter(Date.now());
  const [from, setFrom] = useUrlState('from', quarter.from);
  const [to, setTo] = useUrlState('to', quarter.to);
  const change = useChangeUrl();
  const problem = periodProblem(from, to, Date.now());
  const missing =
    whyNot(me, 'access.read') ??
    (me.rights['ledger.read']?.own_objects_only === true ? 'This needs the right ledger.read on everything.' : whyNot(me, 'ledger.read'));
  const isRunning = evidence.current?.isRunning === true;
  return (
    <form
      className="card ask"
      onSubmit={(event) => {
        event.preventDefault();
        if (problem === undefined && missing === undefined && !isRunning) evidence.report({ from, to });
      }}
    >
      <TextField label="First day" type="date" value={from} onChange={setFrom} />
      <TextField label="Last day" type="date" value={to} onChange={setTo} error={problem} />
      <div className="row">
        <Button small kind="quiet" onPress={() => change(quarter)}>
          Last quarter
        </Button>
        <Button small kind="quiet" onPress={() => change(lastDays(30, Date.now()))}>
          Last 30 days
        </Button>
      </div>
      <div className="row end">
        <Button whyNot={missing} isPending={isRunning} onPress={evidence.verify}>
          Verify the ledger
        </Button>
        <Button kind="primary" submits whyNot={missing ?? problem} isPending={isRunning}>
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
