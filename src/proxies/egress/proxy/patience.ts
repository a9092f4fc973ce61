// How long a server may take between two steps of progress.

export interface Patience {
  /** Starts here. */
  begin(): void;
  /** There was progress. */
  again(): void;
  stop(): void;
}

export interface PatienceParts {
  /** The configuration bounds it to what a timer holds. */
  readonly timeoutMs: number;
  /** True: the caller does not read, so the server is not late. */
  readonly isHeldUp: () => boolean;
}

export function startPatience({ timeoutMs, isHeldUp }: PatienceParts, onLate: () => void): Patience {
  let timer: NodeJS.Timeout | undefined;
  const late = (): void => {
    if (isHeldUp()) timer?.refresh();
    else onLate();
  };
  return {
    begin() {
      timer = setTimeout(late, timeoutMs);
    },
    again: () => void timer?.refresh(),
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
