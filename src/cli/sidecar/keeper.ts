// Keeps one credential fresh: renewed ahead of its end, by one renewal at a time; the present one serves while its source is away.
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import { type CredentialSource, type Obtained, SourceError } from './credential.ts';

export interface Keeper {
  /** The first credential; asks for at most `patienceMs`. Throws SourceError. */
  start(patienceMs: number): Promise<void>;
  /** One that is good now. Undefined when there is none, after a short wait for a renewal: then nothing can be sent. */
  current(): Promise<string | undefined>;
  /** The gateway has refused this one. */
  replace(refused: string): Promise<Replacement>;
  stop(): void;
}

export type Replacement =
  | { readonly kind: 'fresh'; readonly secret: string }
  /** The source has no other one: the refusal is meant. */
  | { readonly kind: 'same' }
  /** The source cannot be asked now. */
  | { readonly kind: 'away' };

export interface KeeperParts {
  readonly source: CredentialSource;
  /** For the end of a credential, which its source names. */
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** One line for the person at the terminal. */
  readonly say: (line: string) => void;
  readonly limits?: Partial<KeeperLimits>;
}

export interface KeeperLimits {
  /** Of its life, after which it is renewed. */
  readonly renewAfter: number;
  /** This long before its end it counts as over, but never more than a tenth of its life. */
  readonly marginMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  readonly attemptMs: number;
  /** How long a request waits for a renewal when there is no good credential. */
  readonly waitMs: number;
  /** Refusals by the gateway make the source be asked no more often than this. */
  readonly forcedEveryMs: number;
}

const LIMITS: KeeperLimits = {
  renewAfter: 0.6,
  marginMs: 2000,
  firstPauseMs: 1000,
  longestPauseMs: 5000,
  attemptMs: 10_000,
  waitMs: 3000,
  forcedEveryMs: 5000,
};

/** Also for a credential of a year: a clock that was wrong at the start must not decide for a year. */
const LONGEST_DELAY_MS = 12 * 3_600_000;
const SHORTEST_DELAY_MS = 200;

interface Held {
  readonly secret: string;
  /** From then on it is not sent any more; Infinity: until the gateway says so. */
  readonly goodUntilMs: number;
}

export function createKeeper(parts: KeeperParts): Keeper {
  const { steady } = parts;
  const limits = { ...LIMITS, ...parts.limits };
  const renewal = createRenewal(parts, limits);
  let forcedAtMs = Number.NEGATIVE_INFINITY;
  return {
    start: (patienceMs) => firstOne(parts, limits, { renewal, untilMs: steady() + patienceMs }),
    async current() {
      const secret = renewal.good();
      if (secret !== undefined) return secret;
      // Requests of a busy worker never ask a source that is away more often than its own timer.
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
  /** The last attempt failed: the next one has its time. */
  failing(): boolean;
  running(): boolean;
  /** One at a time: who asks during a renewal gets its outcome. True when it succeeded; never rejects. */
  run(): Promise<boolean>;
  take(obtained: Obtained, askedMs: number): void;
  /** Until the renewal that runs has ended, but at most `ms`. */
  pause(ms: number): Promise<void>;
  stop(): void;
}

function createRenewal({ source, clock, say }: KeeperParts, limits: KeeperLimits): Renewal {
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

/** At the start a mistake is reported at once; a source that is away is waited for, and named once. */
async function firstOne(
  { source, clock, steady, say }: KeeperParts,
  limits: KeeperLimits,
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

function goodUntil({ expiresAtMs }: Obtained, askedMs: number, { marginMs }: KeeperLimits): number {
  if (expiresAtMs === null) return Number.POSITIVE_INFINITY;
  return expiresAtMs - Math.min(marginMs, Math.max(0, expiresAtMs - askedMs) / 10);
}

function renewDelay({ expiresAtMs, lookAgainMs }: Obtained, askedMs: number, { renewAfter }: KeeperLimits): number {
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
