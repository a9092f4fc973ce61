// Finds runs while a person types. Enter opens the run, if there is only one, or one with exactly this name.
import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { answerOf, api } from '../../api/client.ts';
import type { SetOptions } from '../../app/url-state.ts';
import { foundBy, oneOf } from './one-of.ts';
import styles from './run.module.css';

interface RunSearchProps {
  readonly text: string;
  readonly onChange: (text: string, options: SetOptions) => void;
}

export function RunSearch({ text, onChange }: RunSearchProps) {
  const open = useOpenRun();
  return (
    <form
      className={styles['find']}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        // A failure is shown by the list, which asks the same.
        void open(text.trim()).catch(() => undefined);
      }}
    >
      <input
        type="search"
        className="input"
        placeholder="Find a run by name or id"
        title="Enter opens it"
        aria-label="Find runs"
        value={text}
        onChange={(event) => onChange(event.target.value, { replace: true })}
      />
    </form>
  );
}

function useOpenRun(): (text: string) => Promise<void> {
  const navigate = useNavigate();
  return async (text) => {
    if (text === '') return;
    const { runs } = await answerOf(api.GET('/runs', { params: { query: { text } } }));
    const id = oneOf(runs, text);
    if (id !== undefined) navigate({ to: '/runs/{-$id}', params: { id }, search: foundBy(id, text) });
  };
}
