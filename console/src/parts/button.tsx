import { createContext, type ReactNode, useContext, useId } from 'react';
import { Reason, ReasonBubble, useReasonBubble } from './why-not.tsx';

export interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress?: () => void;
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly small?: boolean;
  readonly submits?: boolean;
  /** The work that it started still runs. */
  readonly isPending?: boolean;
  /** Why it cannot be used now. It keeps its focus, and its reason is in sight. */
  readonly whyNot?: string | undefined;
  /** For a button without words. */
  readonly label?: string;
}

/** The element with the reason of a group. */
const GroupReason = createContext<string | undefined>(undefined);

export function Button({ children, onPress, kind = 'plain', small = false, submits = false, isPending = false, whyNot, label }: ButtonProps) {
  const id = useId();
  const ofGroup = useContext(GroupReason);
  const { at, handlers } = useReasonBubble();
  const isBarred = ofGroup !== undefined || whyNot !== undefined;
  const isOff = isPending || isBarred;
  const own = ofGroup === undefined ? whyNot : undefined;
  return (
    <>
      <button
        type={submits && !isOff ? 'submit' : 'button'}
        className={`button ${kind}${small ? ' small' : ''}`}
        aria-disabled={isOff}
        aria-busy={isPending}
        aria-label={label}
        aria-describedby={isBarred ? (ofGroup ?? id) : undefined}
        onClick={isOff ? undefined : onPress}
        {...(small && own !== undefined && handlers)}
      >
        {children}
      </button>
      {own !== undefined && !small && <Reason id={id}>{own}</Reason>}
      {own !== undefined && small && (
        <ReasonBubble id={id} at={at}>
          {own}
        </ReasonBubble>
      )}
    </>
  );
}

/** Buttons that cannot be used for the same reason: they show it once. */
export function ButtonGroup({ whyNot, children }: { readonly whyNot: string | undefined; readonly children: ReactNode }) {
  const id = useId();
  return (
    <GroupReason value={whyNot === undefined ? undefined : id}>
      {children}
      {whyNot !== undefined && <Reason id={id}>{whyNot}</Reason>}
    </GroupReason>
  );
}
