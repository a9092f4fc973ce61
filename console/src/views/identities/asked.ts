// The open dialog is in the address: `do=rotate&on=etl`. So it is there again after a login.
import { useChangeUrl, useUrlValues } from '../../app/url-state.ts';

export const DIALOGS = ['create', 'rotate', 'revoke', 'revoke-access', 'lock', 'unlock', 'end', 'close'] as const;
export type DialogName = (typeof DIALOGS)[number];

export interface Asked {
  readonly dialog: DialogName | undefined;
  /** What it is about: the name of a token, the id of a session, the target of a lock. */
  readonly on: string;
  readonly ask: (dialog: DialogName, on?: string) => void;
  readonly close: () => void;
}

export function useAsked(): Asked {
  const { do: name = '', on = '' } = useUrlValues();
  const change = useChangeUrl();
  return {
    dialog: DIALOGS.find((each) => each === name),
    on,
    ask: (dialog, about = '') => change({ do: dialog, on: about }),
    close: () => change({ do: '', on: '' }, { replace: true }),
  };
}
