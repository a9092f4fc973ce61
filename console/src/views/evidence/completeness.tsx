import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { Button } from '../../parts/button.tsx';
import { ChainState } from '../../parts/chain-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { saveText } from '../../parts/save-text.ts';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { counted, type Verification } from './steps.ts';
import type { Evidence } from './use-evidence.ts';

/** "Is the ledger complete?", answered in one sentence: at first for the end of the ledger, then for all of it. */
export function Completeness({ evidence: { current, verify }, missing }: { readonly evidence: Evidence; readonly missing: string | undefined }) {
  const verification = current?.outcome.verification;
  return (
    <section className="card completeness" aria-label="Is the ledger complete?">
      <div className="row between">
        <h2>Is the ledger complete?</h2>
        <div className="row">
          <SaveHead missing={missing} />
          <Button whyNot={missing} isPending={current?.isRunning === true} onPress={verify}>
            Verify the ledger
          </Button>
        </div>
      </div>
      {verification === undefined ? <NotYet /> : <Result verification={verification} />}
    </section>
  );
}

/** The same bytes as `lictor audit head`. */
function SaveHead({ missing }: { readonly missing: string | undefined }) {
  const save = useMutation({
    mutationFn: async () => {
      const { head } = await answerOf(api.GET('/audit/chain'));
      if (head === null) throw new Error('The ledger has no head yet.');
      saveText('head.json', `${JSON.stringify(head)}\n`);
    },
  });
  return (
    <>
      {save.error !== null && <ErrorNotice error={save.error} />}
      <Button whyNot={missing} isPending={save.isPending} onPress={() => save.mutate()}>
        Download head.json
      </Button>
    </>
  );
}

function NotYet() {
  return (
    <>
      <ChainState />
      <p>
        The ledger is the list of all records. This examines the newest of them. “Verify the ledger” computes the hash of each record again, from the first one.
      </p>
    </>
  );
}

function Result({ verification }: { readonly verification: Verification }) {
  const { proven, doubt, records, checkpoints, signed_at: signedAt, pruned, problems } = verification;
  return (
    <Answer proven={proven}>
      <p>
        <strong>{proven ? 'Yes. The ledger is complete and unchanged.' : 'No. The ledger is not proven.'}</strong> {counted(records, 'record')} and{' '}
        {counted(checkpoints, 'checkpoint')} were verified, your own requests of this moment included
        {signedAt !== null && (
          <>
            ; the head was signed <Time iso={signedAt} />
          </>
        )}
        .{pruned > 0 && ' Retention has deleted earlier parts; their checkpoints were verified.'}
      </p>
      <p>
        The hash of a record covers every record before it. The head is Lictor's signature of the newest hash, made with each batch of records. A checkpoint is
        a head that the ledger stores every hour.
      </p>
      {doubt !== null && problems.length === 0 && <p>{doubt}</p>}
      {problems.length > 0 && (
        <ul className="problems">
          {problems.map((problem) => (
            <li key={problem}>
              <UntrustedText text={problem} />
            </li>
          ))}
        </ul>
      )}
      {proven && (
        <p>
          <strong>Two things this cannot see:</strong> requests that reach Prefect around Lictor, which <code>lictor doctor</code> looks for (Lictor stores no
          result of it), and a person with root on the gateway's machine who removed the newest records together with their head. A <code>head.json</code> that
          you stored on another machine detects that.
        </p>
      )}
    </Answer>
  );
}

function Answer({ proven, children }: { readonly proven: boolean; readonly children: ReactNode }) {
  return (
    <div className={`notice ${proven ? 'good' : 'danger'}`} role="status">
      <div className="stack">{children}</div>
    </div>
  );
}
