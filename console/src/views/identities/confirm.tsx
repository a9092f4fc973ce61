import type { ReactNode } from 'react';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogButtons } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { useChange } from './use-change.ts';

interface ConfirmProps {
  readonly title: string;
  /** The effect, before it happens. */
  readonly children: ReactNode;
  readonly verb: string;
  readonly work: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Says what a change does, and does it. */
export function Confirm({ title, children, verb, work, onClose }: ConfirmProps) {
  const change = useChange(work, onClose);
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="stack">{children}</div>
      {change.error !== null && <ErrorNotice error={change.error} />}
      <DialogButtons>
        <Button onPress={onClose}>Cancel</Button>
        <Button kind="danger" isPending={change.isPending} onPress={() => change.mutate()}>
          {verb}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
