import { type FormEvent, useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { TextField } from '../../parts/fields.tsx';
import { freeName, withId } from './draft.ts';
import type { PolicyDraft } from './use-policy-draft.ts';

/** Without a draft: "what would this policy break?" in one step. */
export function PasteForm({ draft }: { readonly draft: PolicyDraft }) {
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const name = freeName(draft.files);
    if (text.trim() !== '') draft.change(name, withId(text, name));
  };
  return (
    <form className="policies-paste card" onSubmit={submit}>
      <h2>What would this policy change?</h2>
      <p>
        Paste a policy. Lictor adds it to a draft, decides the recorded requests again with the draft, and names each one whose decision would be another. It
        changes nothing. To change or remove a policy that is in force, edit its file: the effect of the draft is shown here.
      </p>
      <TextField label="Policy" value={text} lines={8} required placeholder={EXAMPLE} onChange={setText} />
      <div className="row">
        <Button kind="primary" submits>
          Show its effect
        </Button>
      </div>
    </form>
  );
}

const EXAMPLE = 'forbid (principal in Role::"operator", action == Action::"flow_runs.delete", resource);';
