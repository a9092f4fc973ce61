import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Dialog } from '../../parts/dialog.tsx';
import { nameProblem } from './draft.ts';
import { firstText } from './first-text.ts';
import type { PolicyDraft } from './use-policy-draft.ts';

export function NewFileDialog({ draft, close }: { readonly draft: PolicyDraft; readonly close: () => void }) {
  const [name, setName] = useState('');
  const [isTried, setTried] = useState(false);
  const navigate = useNavigate();
  const problem = nameProblem(name, draft.files);
  const create = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (problem !== undefined) return;
    draft.change(name, firstText(name));
    navigate({ to: `/policies/${name}`, replace: true });
  };
  return (
    <Dialog title="New file" onClose={close}>
      <form className="policies-dialog" onSubmit={create}>
        <label className="field">
          <span>Name</span>
          <input
            className="input"
            value={name}
            onChange={({ target }) => setName(target.value)}
            placeholder="freeze.cedar"
            autoComplete="off"
            spellCheck={false}
            aria-invalid={isTried && problem !== undefined}
            aria-describedby="policies-name-hint"
          />
        </label>
        <p id="policies-name-hint" className={isTried && problem !== undefined ? 'field-error' : 'field-hint'} role="status">
          {isTried && problem !== undefined ? problem : 'Policies end in .cedar, decision vectors in .vectors.yaml.'}
        </p>
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button primary">
            Create
          </button>
        </div>
      </form>
    </Dialog>
  );
}
