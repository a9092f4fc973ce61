import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useUrlState } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Explanation } from '../../parts/explanation.tsx';
import { TextField } from '../../parts/fields.tsx';
import { explainRequest } from './data.ts';

/** The text stays out of the address and of the browser's storage, because it may contain a credential. */
export function RequestTab() {
  const [principal, setPrincipal] = useUrlState('who');
  const [request, setRequest] = useState('');
  const asked = useMutation({ mutationFn: explainRequest });
  return (
    <div className="access-request">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          asked.mutate({ principal: principal.trim(), request });
        }}
      >
        <TextField
          label="Principal"
          value={principal}
          required
          placeholder="alice@local"
          hint="Also token:NAME, agent:NAME, group:NAME@PROVIDER or role:viewer."
          onChange={(value) => setPrincipal(value, { replace: true })}
        />
        <TextField
          label="Request"
          value={request}
          lines={9}
          required
          placeholder={'curl -X POST https://…/api/flow_runs/filter -d \'{"limit": 5}\''}
          hint="A curl command, raw HTTP, or METHOD and path with a body. Lictor does not send it, and does not read its credentials."
          onChange={setRequest}
        />
        <div className="row">
          <Button submits kind="primary" isPending={asked.isPending}>
            Explain
          </Button>
        </div>
      </form>
      <div className="stack" aria-live="polite">
        {asked.error !== null && <ErrorNotice error={asked.error} />}
        {asked.data !== undefined && asked.error === null && (
          <section className="card" aria-label="Explanation">
            <Explanation explained={asked.data} />
          </section>
        )}
      </div>
    </div>
  );
}
