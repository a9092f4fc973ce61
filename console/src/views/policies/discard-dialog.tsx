import { Dialog } from '../../parts/dialog.tsx';
import type { PolicyDraft } from './use-policy-draft.ts';

export function DiscardDialog({ draft, close }: { readonly draft: PolicyDraft; readonly close: () => void }) {
  const names = Object.keys(draft.draft?.changes ?? {});
  const discard = () => {
    draft.discard();
    close();
  };
  return (
    <Dialog title="Discard this draft?" onClose={close}>
      <p>Your changes of {names.join(', ')} are deleted. The policies in force stay as they are.</p>
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={close}>
          Keep editing
        </button>
        <button type="button" className="button danger" onClick={discard}>
          Discard draft
        </button>
      </div>
    </Dialog>
  );
}
