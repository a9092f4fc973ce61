// Why a button cannot be used: in sight where the button is, for pointer, touch, keys and screen readers the same text.
import { type ReactNode, type SyntheticEvent, useState } from 'react';

interface ReasonProps {
  readonly id: string;
  readonly children: ReactNode;
}

/** Below the buttons. */
export function Reason({ id, children }: ReasonProps) {
  return (
    <span id={id} className="why-not">
      {children}
    </span>
  );
}

interface Place {
  readonly top: number;
  readonly right: number;
}

/** Above the page, at its button: a table has no room for it in each row. Without a place it only describes the button. */
export function ReasonBubble({ id, at, children }: ReasonProps & { readonly at: Place | undefined }) {
  return (
    <span id={id} className="why-not bubble" hidden={at === undefined} style={at}>
      {children}
    </span>
  );
}

/** A small button shows its reason while the pointer or the focus is on it, and after a tap. */
export function useReasonBubble() {
  const [at, setAt] = useState<Place>();
  const show = ({ currentTarget }: SyntheticEvent<HTMLElement>) => {
    const { right, bottom } = currentTarget.getBoundingClientRect();
    setAt({ top: bottom, right: Math.max(0, document.documentElement.clientWidth - right) });
  };
  const hide = () => setAt(undefined);
  return { at, handlers: { onMouseEnter: show, onFocus: show, onClick: show, onMouseLeave: hide, onBlur: hide } };
}
