import { type ReactNode, useId } from 'react';

export interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress?: () => void;
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly small?: boolean;
  readonly submits?: boolean;
  /** The work that it started still runs. */
  readonly isPending?: boolean;
  /** Why it cannot be used now. It keeps its focus and says so. */
  readonly whyNot?: string | undefined;
  /** For a button without words. */
  readonly label?: string;
}

export function Button({ children, onPress, kind = 'plain', small = false, submits = false, isPending = false, whyNot, label }: ButtonProps) {
  const id = useId();
  const isOff = isPending || whyNot !== undefined;
  return (
    <>
      <button
        type={submits && !isOff ? 'submit' : 'button'}
        className={`button ${kind}${small ? ' small' : ''}`}
        aria-disabled={isOff}
        aria-busy={isPending}
        aria-label={label}
        title={whyNot}
        aria-describedby={whyNot === undefined ? undefined : id}
        onClick={isOff ? undefined : onPress}
      >
        {children}
      </button>
      {whyNot !== undefined && (
        <span id={id} className="visually-hidden">
          {whyNot}
        </span>
      )}
    </>
  );
}
