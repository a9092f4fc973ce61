import { useUrlState } from '../../app/url-state.ts';
import { ApplyDialog } from './apply-dialog.tsx';
import { ConflictDialog } from './conflict-dialog.tsx';
import { DiscardDialog } from './discard-dialog.tsx';
import { NewFileDialog } from './new-file-dialog.tsx';
import { RollbackDialog } from './rollback-dialog.tsx';
import type { Shown } from './shown.ts';

/** The dialog that the address names. */
export function Dialogs(shown: Shown) {
  const [dialog, setDialog] = useUrlState('dialog');
  const close = () => setDialog('', { replace: true });
  const { draft } = shown;
  if (dialog === 'new') return <NewFileDialog draft={draft} close={close} />;
  if (dialog === 'rollback') return <RollbackDialog inForce={draft.inForce} close={close} />;
  if (draft.draft === undefined) return null;
  if (dialog === 'discard') return <DiscardDialog draft={draft} close={close} />;
  if (dialog === 'conflict' || (dialog === 'apply' && draft.isOutdated)) return <ConflictDialog draft={draft} close={close} />;
  return dialog === 'apply' ? <ApplyDialog {...shown} close={close} /> : null;
}
