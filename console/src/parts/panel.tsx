import { type ReactNode, type RefObject, useEffect, useEffectEvent, useId, useLayoutEffect, useRef } from 'react';
import { Button } from './button.tsx';

interface PanelProps {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons that stay in sight while the details scroll. */
  readonly foot?: ReactNode;
}

/** Details beside a list. Put both into `<div className="beside">`. Escape closes it. On a small screen it covers the lower part. */
export function Panel({ title, onClose, children, foot }: PanelProps) {
  const id = useId();
  const section = useRef<HTMLElement>(null);
  const close = useEffectEvent(onClose);
  useFittingHeight(section);
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
      {foot !== undefined && <div className="panel-foot row">{foot}</div>}
    </section>
  );
}

/** Pixels that stay free below. */
const FREE = 16;
const LEAST = 240;

/** The panel ends above the lower edge of the window, wherever it begins. On a small screen it lies over the page, and the style sheet bounds it. */
function useFittingHeight(section: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const fit = (): void => {
      const panel = section.current;
      if (panel === null) return;
      const isOver = getComputedStyle(panel).position === 'fixed';
      const free = innerHeight - Math.max(FREE, panel.getBoundingClientRect().top) - FREE;
      panel.style.maxHeight = isOver ? '' : `${Math.max(LEAST, free)}px`;
    };
    fit();
    const control = new AbortController();
    for (const event of ['scroll', 'resize']) addEventListener(event, fit, { signal: control.signal, passive: true });
    return () => control.abort();
  }, [section]);
}
