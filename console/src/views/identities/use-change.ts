// A change of identities: asks for everything of this view again when it is done.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { KEY } from './data.ts';

/** The client puts in the proof of the session. */
export const WRITE = { header: { 'x-csrf-token': '' } };

export function useChange<Answer, Input = void>(work: (input: Input) => Promise<Answer>, onDone?: (answer: Answer) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSuccess: (answer) => {
      void client.invalidateQueries({ queryKey: [KEY] });
      onDone?.(answer);
    },
  });
}
