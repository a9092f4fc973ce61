// Renews one credential before it expires, by one renewal at a time. The present one is used while its source does not answer.
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import { type CredentialSource, type Obtained, SourceError } from './credential.ts';

export interface CredentialRefresher {
  /** Obtains the first credential, for at most `patienceMs`. Throws SourceError. */
  start(patienceMs: number): Promise<void>;
  /** A valid credential. Undefined if there is none after a short wait for a renewal: then nothing can be sent. */
  current(): Promise<string | undefined>;
  /** The gateway has rejected this one. */
  replace(refused: string): Promise<Replacement>;
  stop(): void;
}

export type Replacement =
  | { readonly kind: 'fresh'; readonly secret: string }
  /** The source has no other one: the rejection is final. */
  | { readonly kind: 'same' }
  /** The source does not answer now. */
  | { readonly kind: 'away' };

export interface RefresherParts {
  readonly source: CredentialSource;
  /** For the end of a credential, which its source names. */
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** One line for the person at the terminal. */
  readonly say: (line: string) => void;
  readonly limits?: Partial<RefresherLimits>;
}

export interface RefresherLimits {
  /** The fraction of its life after which it is renewed. */
  readonly renewAfter: number;
  /** How long before its end it counts as expired, but never more than a tenth of its life. */
  readonly marginMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  readonly attemptMs: number;
  /** How long a request waits for a renewal if there is no valid credential. */
  readonly waitMs: number;
  /** Rejections by the gateway cause at most one request to the source in this time. */
  readonly forcedEveryMs: number;
}

const LIMITS: RefresherLimits = {
  renewAfter: 0.6,
  marginMs: 2000,
  firstPauseMs: 1000,
  longestPauseMs: 5000,
  attemptMs: 10_000,
  waitMs: 3000,
  forcedEveryMs: 5000,
};

/** Applies also to a credential for a year: a clock that was wrong at the start must not delay the renewal for a year. */
const LONGEST_DELAY_MS = 12 * 3_600_000;
const SHORTEST_DELAY_MS = 200;

interface Held {
  readonly secret: string;
  /** It is not sent after this time. Infinity: until the gateway rejects it. */
  readonly goodUntilMs: number;
}

export function createRefresher(parts: RefresherParts): CredentialRefresher {
  const { steady } = parts;
  const limits = { ...LIMITS, ...parts.limits };
  const renewal = createRenewal(parts, limits);
  let forcedAtMs = Number.NEGATIVE_INFINITY;
  return {
    start: (patienceMs) => firstOne(parts, limits, { renewal, untilMs: steady() + patienceMs }),
    async current() {
      const secret = renewal.good();
      if (secret !== undefined) return secret;
      // Requests of a busy worker must not ask a source that does not answer more often than its timer does.
      if (!renewal.failing()) void renewal.run();
      const until = steady() + limits.waitMs;
      while (renewal.good() === undefined && steady() < until) await renewal.pause(POLL_MS);
      return renewal.good();
    },
    async replace(refused) {
      const other = otherThan(refused, renewal.good());
      if (other !== undefined) return other;
      if (!renewal.running()) {
        if (steady() - forcedAtMs < limits.forcedEveryMs) return renewal.failing() ? { kind: 'away' } : { kind: 'same' };
        forcedAtMs = steady();
      }
      if (!(await renewal.run())) return { kind: 'away' };
      return otherThan(refused, renewal.good()) ?? { kind: 'same' };
    },
    stop: renewal.stop,
  };
}

const POLL_MS = 50;

function otherThan(refused: string, secret: string | undefined): Replacement | undefined {
  return secret === undefined || secret === refused ? undefined : { kind: 'fresh', secret };
}

interface Renewal {
  good(): string | undefined;
  /** The last attempt failed. The timer starts the next one. */
  failing(): boolean;
  running(): boolean;
  /** One at a time: a second caller gets the result of the first. True when it succeeded. Never rejects. */
  run(): Promise<boolean>;
  take(obtained: Obtained, askedMs: number): void;
  /** Until the present renewal has ended, but at most `ms`. */
  pause(ms: number): Promise<void>;
  stop(): void;
}

function createRenewal({ source, clock, say }: RefresherParts, limits: RefresherLimits): Renewal {
  let held: Held | undefined;
  let current: Promise<boolean> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let stopped = false;
  const plan = (delayMs: number): void => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void run(), delayMs).unref();
  };
  const take = (obtained: Obtained, askedMs: number): void => {
    held = { secret: obtained.secret, goodUntilMs: goodUntil(obtained, askedMs, limits) };
    plan(renewDelay(obtained, askedMs, limits));
  };
  const attempt = async (): Promise<boolean> => {
    const askedMs = clock();
    try {
      take(await source.obtain(AbortSignal.timeout(limits.attemptMs)), askedMs);
      if (failures > 0) say(`${source.name} is back: the credential is renewed.`);
      failures = 0;
      return true;
    } catch (error) {
      failures += 1;
      if (failures === 1 && held !== undefined) say(`${messageOf(error)} ${renderLeft(held, clock())}`);
      plan(Math.min(limits.firstPauseMs * 2 ** (failures - 1), limits.longestPauseMs));
      return false;
    }
  };
  const run = (): Promise<boolean> => {
    current ??= attempt().finally(() => {
      current = undefined;
    });
    return current;
  };
  return {
    good: () => (held !== undefined && clock() < held.goodUntilMs ? held.secret : undefined),
    failing: () => failures > 0,
    running: () => current !== undefined,
    run,
    take,
    pause: async (ms) => void (await Promise.race([wait(ms), current ?? wait(ms)])),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** At the start a mistake is reported at once. A source that does not answer is reported once, and retried. */
async function firstOne(
  { source, clock, steady, say }: RefresherParts,
  limits: RefresherLimits,
  { renewal, untilMs }: { readonly renewal: Renewal; readonly untilMs: number },
): Promise<void> {
  let isNamed = false;
  for (let pauseMs = limits.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, limits.longestPauseMs)) {
    const askedMs = clock();
    try {
      renewal.take(await source.obtain(AbortSignal.timeout(limits.attemptMs)), askedMs);
      return;
    } catch (error) {
      if (!(error instanceof SourceError) || error.final || steady() + pauseMs > untilMs) throw error;
      if (!isNamed) say(`${error.message} Trying again.`);
      isNamed = true;
    }
    await wait(pauseMs);
  }
}

function goodUntil({ expiresAtMs }: Obtained, askedMs: number, { marginMs }: RefresherLimits): number {
  if (expiresAtMs === null) return Number.POSITIVE_INFINITY;
  return expiresAtMs - Math.min(marginMs, Math.max(0, expiresAtMs - askedMs) / 10);
}

function renewDelay({ expiresAtMs, lookAgainMs }: Obtained, askedMs: number, { renewAfter }: RefresherLimits): number {
  const byLife = expiresAtMs === null ? LONGEST_DELAY_MS : (expiresAtMs - askedMs) * renewAfter;
  return Math.max(SHORTEST_DELAY_MS, Math.min(lookAgainMs ?? byLife, LONGEST_DELAY_MS));
}

function renderLeft({ goodUntilMs }: Held, nowMs: number): string {
  if (goodUntilMs === Number.POSITIVE_INFINITY) return 'The present one is used on.';
  const seconds = Math.round((goodUntilMs - nowMs) / 1000);
  return seconds > 0 ? `The present one is good for ${seconds} s more.` : 'Requests wait until there is one.';
}

function messageOf(error: unknown): string {
  return error instanceof SourceError ? error.message : 'The credential could not be renewed.';
}
