// The dialogs of this view, by the address.
import type { ReactNode } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { type DialogName, useAsked } from './asked.ts';
import { Confirm } from './confirm.tsx';
import { CreateToken } from './create-token.tsx';
import { EndSession } from './end-session.tsx';
import { LockDialog } from './lock-dialog.tsx';
import { RotateToken } from './rotate-token.tsx';
import { WRITE } from './use-change.ts';

interface DialogProps {
  readonly on: string;
  readonly onClose: () => void;
}

const DIALOGS: Readonly<Record<DialogName, (props: DialogProps) => ReactNode>> = {
  create: ({ onClose }) => <CreateToken onClose={onClose} />,
  rotate: ({ on, onClose }) => <RotateToken name={on} onClose={onClose} />,
  revoke: RevokeToken,
  'revoke-access': RevokeAccessToken,
  lock: ({ on, onClose }) => <LockDialog what={on} onClose={onClose} />,
  unlock: Unlock,
  end: ({ on, onClose }) => <EndSession id={on} onClose={onClose} />,
  close: CloseSocket,
};

export function Dialogs() {
  const { dialog, on, close } = useAsked();
  if (dialog === undefined) return null;
  const Shown = DIALOGS[dialog];
  return <Shown key={`${dialog} ${on}`} on={on} onClose={close} />;
}

function RevokeToken({ on, onClose }: DialogProps) {
  return (
    <Confirm
      title={`Revoke ${on}?`}
      verb="Revoke the token"
      onClose={onClose}
      work={() => answerOf(api.DELETE('/tokens/{name}', { params: { ...WRITE, path: { name: on } } }))}
    >
      <p>Its next request is denied, its sockets close, and the runs of its worker lose their tokens. A revoked token never comes back.</p>
      <p className="muted">To replace the secret without an interruption, rotate the token.</p>
    </Confirm>
  );
}

function RevokeAccessToken({ on, onClose }: DialogProps) {
  return (
    <Confirm
      title="Revoke the access token?"
      verb="Revoke the token"
      onClose={onClose}
      work={() => answerOf(api.DELETE('/access-tokens/{id}', { params: { ...WRITE, path: { id: on } } }))}
    >
      <p>Its next request is denied, and the runs that it began lose their tokens. Its holder may exchange another proof; to prevent that, set a lock.</p>
    </Confirm>
  );
}

function Unlock({ on, onClose }: DialogProps) {
  return (
    <Confirm
      title="Remove the lock?"
      verb="Unlock"
      onClose={onClose}
      work={() => answerOf(api.DELETE('/locks', { params: { ...WRITE, query: { what: on } } }))}
    >
      <p>
        <UntrustedText text={on} longest={120} /> may come in again, with the rights that it has now.
      </p>
    </Confirm>
  );
}

function CloseSocket({ on, onClose }: DialogProps) {
  return (
    <Confirm
      title="Close the socket?"
      verb="Close the socket"
      onClose={onClose}
      work={() => answerOf(api.DELETE('/sockets/{id}', { params: { ...WRITE, path: { id: on } } }))}
    >
      <p>Its client may connect again, and most do at once. To keep a client out, lock its principal or revoke its token.</p>
    </Confirm>
  );
}
