import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useDraft } from '../../app/drafts.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogButtons } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { TextField } from '../../parts/fields.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { Chain } from './chain.tsx';
import { type Approval, decide, type Verb } from './queries.ts';
import { objectOf } from './words.ts';

const LONGEST_REASON = 200;

const TEXTS = {
  approve: { title: 'Approve this request?', about: 'The same request passes once. A changed argument needs another approval.', button: 'Approve' },
  deny: { title: 'Deny this request?', about: 'The requester gets your reason. The same request cannot wait again for a while.', button: 'Deny' },
} as const;

interface DialogProps {
  readonly approval: Approval;
  readonly verb: Verb;
  readonly onClose: () => void;
}

/** The reason survives a login in between. */
export function DecideDialog({ approval, verb, onClose }: DialogProps) {
  const { title, about, button } = TEXTS[verb];
  const reason = useDraft(`approval-${approval.id}`, '');
  const client = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: decide,
    async onSuccess() {
      reason.drop();
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['approvals'] }),
  });
  const isTooLong = reason.text.length > LONGEST_REASON;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!isTooLong) mutate({ id: approval.id, verb, reason: reason.text });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack" onSubmit={send}>
        <p>
          <Chain approval={approval} />: {approval.action_text} <UntrustedText text={objectOf(approval)} />
        </p>
        <p className="muted">{about}</p>
        <TextField
          label="Reason"
          lines={3}
          autoFocus
          value={reason.text}
          onChange={reason.setText}
          hint="Optional. The record and the requester show it."
          error={isTooLong ? `At most ${LONGEST_REASON} characters.` : undefined}
        />
        {error !== null && <ErrorNotice error={error} />}
        <DialogButtons>
          <Button onPress={onClose}>Cancel</Button>
          <Button kind={verb === 'approve' ? 'primary' : 'danger'} submits isPending={isPending}>
            {button}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
