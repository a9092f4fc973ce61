import { Button } from '../../parts/button.tsx';
import { CopyText } from '../../parts/copy-text.tsx';
import { Dialog, DialogButtons } from '../../parts/dialog.tsx';
import { Time } from '../../parts/time.tsx';
import type { Token } from './data.ts';
import { shellLines } from './shell-lines.ts';

export interface Secret {
  readonly token: Token;
  readonly secret: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The only place that shows a secret. It is in no storage, and a click beside the dialog does not close it. */
export function NewSecret({ shown: { token, secret, environment }, onClose }: { readonly shown: Secret; readonly onClose: () => void }) {
  return (
    <Dialog title={`The secret of ${token.name}`} wide dismissable={false} onClose={onClose}>
      <p className="notice warning">Lictor shows it now and never again. Copy it before you close this.</p>
      <div className="field">
        <span className="field-label">Secret</span>
        <CopyText text={secret} what="Copy the secret" />
      </div>
      <div className="field">
        <span className="field-label">For a worker, or any stock client of Prefect</span>
        <CopyText text={shellLines(environment)} what="Copy the lines" />
        {'PREFECT_API_SSL_CERT_FILE' in environment && (
          <span className="field-hint">The certificate of this gateway is self-made: each machine needs a copy of that file.</span>
        )}
      </div>
      <p className="muted">
        Do not use PREFECT_API_KEY: with a key alone, the event sockets of the client have no credential.
        {token.overlap_until !== null && (
          <>
            {' '}
            The former secret is valid until <Time iso={token.overlap_until} />.
          </>
        )}
      </p>
      <DialogButtons>
        <Button kind="primary" onPress={onClose}>
          I have copied it
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
