import type { ReactNode } from 'react';
import { useMe, whyNot } from '../../app/session.ts';
import { Button } from '../../parts/button.tsx';
import { useAsked } from './asked.ts';
import type { Token } from './data.ts';

export function TokenButtons({ token: { name } }: { readonly token: Pick<Token, 'name'> }) {
  const { ask } = useAsked();
  const bar = whyNot(useMe(), 'access.write');
  return (
    <RowButtons>
      <Button small kind="quiet" whyNot={bar} label={`Rotate ${name}`} onPress={() => ask('rotate', name)}>
        Rotate
      </Button>
      <Button small kind="quiet" whyNot={bar} label={`Revoke ${name}`} onPress={() => ask('revoke', name)}>
        Revoke
      </Button>
    </RowButtons>
  );
}

interface LockButtonProps {
  readonly id: string;
  readonly isLocked?: boolean;
  readonly words?: readonly [lock: string, unlock: string];
}

export function LockButton({ id, isLocked = false, words = ['Lock', 'Unlock'] }: LockButtonProps) {
  const { ask } = useAsked();
  const verb = words[isLocked ? 1 : 0];
  return (
    <RowButtons>
      <Button small kind="quiet" whyNot={whyNot(useMe(), 'access.write')} label={`${verb} ${id}`} onPress={() => ask(isLocked ? 'unlock' : 'lock', id)}>
        {verb}
      </Button>
    </RowButtons>
  );
}

/** A click on a button of a row does not open the row. */
export function RowButtons({ children }: { readonly children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: it only stops clicks on the buttons inside, which have their own keys
    // biome-ignore lint/a11y/noStaticElementInteractions: the same
    <div className="row-buttons" onClick={(event) => event.stopPropagation()}>
      {children}
    </div>
  );
}
