import { useState } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { useDraft } from '../../app/drafts.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogButtons } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { SelectField, TextField } from '../../parts/fields.tsx';
import { useChange, WRITE } from './use-change.ts';

const DURATIONS = [
  { value: '', text: 'Until it is removed' },
  { value: '1h', text: '1 hour' },
  { value: '24h', text: '1 day' },
  { value: '7d', text: '7 days' },
  { value: '30d', text: '30 days' },
] as const;

/** `what` empty: the person types it. */
export function LockDialog({ what, onClose }: { readonly what: string; readonly onClose: () => void }) {
  const target = useDraft('lock-what', what);
  const why = useDraft(`lock-why:${what}`, '');
  const [time, setTime] = useState('');
  const on = what === '' ? target.text : what;
  const body = { what: on.trim(), why: why.text, ...(time !== '' && { for: time }) };
  const lock = useChange(
    () => answerOf(api.POST('/locks', { params: WRITE, body })),
    () => {
      target.drop();
      why.drop();
      onClose();
    },
  );
  const isAgent = what.startsWith('agent:');
  return (
    <Dialog title={isAgent ? `Stop ${what}` : 'Lock out'} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          lock.mutate();
        }}
      >
        <p>The next request is denied and open sockets close, at once and everywhere. You cannot lock out yourself.</p>
        <TextField
          label="What"
          value={on}
          autoFocus={what === ''}
          onChange={target.setText}
          hint="alice@corp, token:NAME, agent:NAME, session:ID, idp:ID or address:10.0.0.0/8"
        />
        <TextField label="Why" value={why.text} autoFocus={what !== ''} onChange={why.setText} hint="One line, shown in the list of locks" />
        <SelectField label="For how long" value={time} onChange={setTime} options={DURATIONS} />
        {lock.error !== null && <ErrorNotice error={lock.error} />}
        <DialogButtons>
          <Button onPress={onClose}>Cancel</Button>
          <Button kind="danger" submits isPending={lock.isPending} whyNot={on.trim() === '' ? 'Say what the lock is on.' : undefined}>
            {isAgent ? 'Stop' : 'Lock'}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
