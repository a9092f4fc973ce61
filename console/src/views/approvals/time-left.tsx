import type { Approval } from './queries.ts';
import { shareLeft, timeLeft } from './words.ts';

/** How long a request still waits, as text and as a bar. */
export function TimeLeft({ approval, now }: { readonly approval: Pick<Approval, 'requested_at' | 'expires_at'>; readonly now: number }) {
  const share = shareLeft(approval, now);
  return (
    <span className="time-left" data-urgent={share < 0.2}>
      <span>{timeLeft(approval.expires_at, now)}</span>
      <span className="time-bar" aria-hidden="true">
        <span style={{ transform: `scaleX(${share})` }} />
      </span>
    </span>
  );
}
