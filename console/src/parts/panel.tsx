import { type ReactNode, useEffect, useEffectEvent, useId, useRef } from 'react';
import { Button } from './button.tsx';

interface PanelProps {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Details beside a list. Put both into `<div className="beside">`. Escape closes it. On a small screen it covers the lower part. */
export function Panel({ title, onClose, children }: PanelProps) {
  const id = useId();
  const section = useRef<HTMLElement>(null);
  const close = useEffectEvent(onClose);
  useEffect(() => {
    const before = document.activeElement;
    section.current?.focus({ preventScroll: true });
    const onKey = ({ key, defaultPrevented }: KeyboardEvent) => key === 'Escape' && !defaultPrevented && document.querySelector('.overlay') === null && close();
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('keydown', onKey);
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <section className="panel" aria-labelledby={id} ref={section} tabIndex={-1}>
      <div className="panel-head">
        <h2 id={id}>{title}</h2>
        <Button kind="quiet" small label="Close the details" onPress={onClose}>
          ✕
        </Button>
      </div>
      {children}
    </section>
  );
}
