import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import type { Verification } from './steps.ts';

/** Whether the ledger is proven, and every problem that was found. */
export function VerificationNotice({ verification }: { readonly verification: Verification }) {
  const { proven, doubt, records, checkpoints, signed_at: signedAt, pruned, problems } = verification;
  return (
    <div className={`notice ${proven ? 'good' : 'danger'}`} role="status">
      <div className="stack">
        <p>
          <strong>{proven ? 'The ledger is complete and unchanged.' : 'The ledger is not proven.'}</strong> {records.toLocaleString('en')} records and{' '}
          {checkpoints.toLocaleString('en')} signed checkpoints were verified
          {signedAt !== null && (
            <>
              ; signed last <Time iso={signedAt} />
            </>
          )}
          .{pruned > 0 && ' Retention has deleted earlier parts; their signed ends were verified.'}
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
        {proven && <small>An end that was removed whole shows only against a head stored elsewhere: save head.json of the report on another machine.</small>}
      </div>
    </div>
  );
}
