import { useState } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { useDraft } from '../../app/drafts.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogButtons } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { TextField } from '../../parts/fields.tsx';
import { NewSecret } from './new-secret.tsx';
import { RoleChoice } from './role-choice.tsx';
import { bodyOf, EMPTY_FORM, type FormProblems, formOf, problemsOf, type TokenForm } from './token-form.ts';
import { useChange, WRITE } from './use-change.ts';

type Body = ReturnType<typeof bodyOf>;

export function CreateToken({ onClose }: { readonly onClose: () => void }) {
  const draft = useDraft('new-token', JSON.stringify(EMPTY_FORM));
  const [isChecked, setChecked] = useState(false);
  const create = useChange((body: Body) => answerOf(api.POST('/tokens', { params: WRITE, body })), draft.drop);
  const form = formOf(draft.text);
  const problems = isChecked ? problemsOf(form) : {};
  if (create.data !== undefined) return <NewSecret shown={create.data} onClose={onClose} />;
  const submit = () => {
    setChecked(true);
    if (Object.keys(problemsOf(form)).length === 0) create.mutate(bodyOf(form));
  };
  return (
    <Dialog title="Create a service token" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TokenFields form={form} problems={problems} onChange={(more) => draft.setText(JSON.stringify({ ...form, ...more }))} />
        {create.error !== null && <ErrorNotice error={create.error} />}
        <DialogButtons>
          <Button onPress={onClose}>Cancel</Button>
          <Button kind="primary" submits isPending={create.isPending}>
            Create
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

interface TokenFieldsProps {
  readonly form: TokenForm;
  readonly problems: FormProblems;
  readonly onChange: (more: Partial<TokenForm>) => void;
}

function TokenFields({ form, problems, onChange }: TokenFieldsProps) {
  return (
    <>
      <TextField
        label="Name"
        autoFocus
        value={form.name}
        error={problems.name}
        onChange={(name) => onChange({ name })}
        hint="The program that uses it: etl-worker. The token of an agent has the agent's name and no roles here."
      />
      <RoleChoice chosen={form.roles} onChange={(roles) => onChange({ roles })} />
      <TextField
        label="On"
        value={form.scope}
        error={problems.scope}
        placeholder="everything"
        onChange={(scope) => onChange({ scope })}
        hint="tags=team-a work_pools=pool-a; empty: the roles hold on everything"
      />
      <div className="pair">
        <TextField
          label="Ends after"
          value={form.expires}
          error={problems.expires}
          onChange={(expires) => onChange({ expires })}
          hint="90d or 12h; empty: never"
        />
        <TextField
          label="Used from"
          value={form.networks}
          placeholder="anywhere"
          onChange={(networks) => onChange({ networks })}
          hint="10.0.0.0/8, 192.0.2.7"
        />
      </div>
    </>
  );
}
