import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogButtons } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { freeName, nameProblem } from './draft.ts';
import { firstText } from './first-text.ts';
import type { PolicyDraft } from './use-policy-draft.ts';

export function NewFileDialog({ draft, close }: { readonly draft: PolicyDraft; readonly close: () => void }) {
  const [name, setName] = useState(freeName(draft.files));
  const navigate = useNavigate();
  const problem = nameProblem(name, draft.files);
  const create = (event: FormEvent) => {
    event.preventDefault();
    if (problem !== undefined) return;
    draft.change(name, firstText(name));
    navigate({ to: `/policies/${name}`, replace: true });
  };
  return (
    <Dialog title="New file" onClose={close}>
      <form className="stack" onSubmit={create}>
        <TextField label="Name" value={name} autoFocus hint="Policies end in .cedar, decision vectors in .vectors.yaml." error={problem} onChange={setName} />
        <DialogButtons>
          <Button onPress={close}>Cancel</Button>
          <Button kind="primary" submits>
            Create
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
