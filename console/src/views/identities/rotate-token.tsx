import { useState } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogButtons } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { SelectField } from '../../parts/fields.tsx';
import { NewSecret } from './new-secret.tsx';
import { useChange, WRITE } from './use-change.ts';

const OVERLAPS = [
  { value: '1h', text: '1 hour' },
  { value: '24h', text: '1 day' },
  { value: '7d', text: '7 days' },
  { value: '0s', text: 'None: the former secret ends at once' },
] as const;

export function RotateToken({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const [overlap, setOverlap] = useState('24h');
  const rotate = useChange(() => answerOf(api.POST('/tokens/{name}/rotate', { params: { ...WRITE, path: { name } }, body: { overlap } })));
  if (rotate.data !== undefined) return <NewSecret shown={rotate.data} onClose={onClose} />;
  return (
    <Dialog title={`Rotate ${name}`} onClose={onClose}>
      <div className="stack">
        <p>The token gets a new secret, with the same roles and the same lifetime. Both secrets are valid during the overlap, so that no client fails.</p>
        <SelectField
          label="How long the former secret stays valid"
          value={overlap}
          onChange={setOverlap}
          options={OVERLAPS}
          hint="A secret from before the former one ends at once."
        />
        {rotate.error !== null && <ErrorNotice error={rotate.error} />}
      </div>
      <DialogButtons>
        <Button onPress={onClose}>Cancel</Button>
        <Button kind="primary" isPending={rotate.isPending} onPress={() => rotate.mutate()}>
          Rotate
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
