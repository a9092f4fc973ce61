// What an identity provider publishes (keys, metadata): read when Lictor needs it, by one read at a time, with a pause after a failure.
import type { SteadyClock } from '../../contract/clock.ts';

export interface PublishedStatus {
  /** Since the last read that succeeded. Null: none has. */
  readonly ageMs: number | null;
  /** The last read that failed. Null: none has. */
  readonly failure: { readonly message: string; readonly ageMs: number } | null;
}

export interface Published<T> {
  status(): PublishedStatus;
  /** The value of the last read that succeeded. Undefined before the first one. */
  latest(): { readonly value: T; readonly ageMs: number } | undefined;
  /**
   * Joins the read that runs, or starts one. Repeats the outcome of the last read, also by throwing its error, if that read
   * ended less than `pauseMs` ago, or failed less than `failurePauseMs` ago.
   */
  read(pauseMs?: number): Promise<T>;
}

export interface PublishedParts<T> {
  readonly load: () => Promise<T>;
  readonly steady: SteadyClock;
  readonly failurePauseMs: number;
}

export function createPublished<T>({ load, steady, failurePauseMs }: PublishedParts<T>): Published<T> {
  let failure: { readonly message: string; readonly atMs: number } | undefined;
  let latest: { readonly value: T; readonly readMs: number } | undefined;
  let last: { readonly outcome: Promise<T>; readonly failed: boolean; readonly endedMs: number } | undefined;
  let reading: Promise<T> | undefined;
  const start = (): Promise<T> => {
    const outcome = load();
    const end = (failed: boolean): void => {
      last = { outcome, failed, endedMs: steady() };
      reading = undefined;
    };
    reading = outcome;
    outcome.then(
      (value) => {
        latest = { value, readMs: steady() };
        end(false);
      },
      (error: unknown) => {
        failure = { message: error instanceof Error ? error.message : 'it is not readable', atMs: steady() };
        end(true);
      },
    );
    return outcome;
  };
  return {
    status: () => ({
      ageMs: latest === undefined ? null : steady() - latest.readMs,
      failure: failure === undefined ? null : { message: failure.message, ageMs: steady() - failure.atMs },
    }),
    latest: () => latest && { value: latest.value, ageMs: steady() - latest.readMs },
    async read(pauseMs = 0) {
      const restMs = last?.failed === true ? Math.max(pauseMs, failurePauseMs) : pauseMs;
      if (reading === undefined && last !== undefined && steady() - last.endedMs < restMs) return await last.outcome;
      return await (reading ?? start());
    },
  };
}
