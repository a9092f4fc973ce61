import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../api/client.ts';
import { UntrustedText } from './untrusted-text.tsx';

/** What the words of an action leave open: how it differs from its neighbours. */
const NOTES: Readonly<Record<string, string>> = {
  'flow_runs.cancel': 'It sets the state Cancelling or Cancelled. It is a right of its own, so that an operator may cancel a run and not report its result.',
  'flow_runs.pause': 'It sets the state Paused.',
  'flow_runs.retry': 'It sets the state Scheduled.',
  'flow_runs.set_state':
    'It sets any other state: workers and runs report these. Cancel, pause and retry are separate actions. A denied request to cancel, pause or retry can have this action too.',
};

/** The words of the gateway, for suggestions and explanations. */
export function useWords() {
  return useQuery({
    queryKey: ['audit-words'],
    queryFn: ({ signal }) => answerOf(api.GET('/audit/words', { signal })),
    staleTime: 60_000,
  }).data;
}

/** An action and what it does. */
export function ActionAbout({ action }: { readonly action: string }) {
  const words = useWords()?.action_words[action];
  const note = NOTES[action];
  return (
    <span className="action-about">
      <code>
        <UntrustedText text={action} />
      </code>
      {words !== undefined && <span>{words}</span>}
      {note !== undefined && <span className="muted">{note}</span>}
    </span>
  );
}
