// The first steps with a gateway: what to run, and whether it has happened.

export interface Seen {
  /** Null in each: this person may not know. */
  readonly logins: readonly { readonly principal: string; readonly last_used_at: string }[] | null;
  readonly tokens: readonly { readonly name: string; readonly roles: readonly string[]; readonly state: string }[] | null;
  readonly workers: readonly SeenWorker[] | null;
  readonly runs: readonly SeenRun[] | null;
}

export interface SeenWorker {
  readonly name: string | null;
  readonly pool: string;
  readonly principal: string;
  readonly last_seen_at: string;
}

export interface SeenRun {
  readonly id: string;
  readonly name: string | null;
  readonly deployment: string | null;
  readonly state: string | null;
  readonly seen_at: string;
}

export type Done = 'yes' | 'no' | 'unknown';

export interface Step {
  readonly name: 'cli' | 'token' | 'worker' | 'run';
  readonly title: string;
  readonly about: string;
  readonly commands: readonly string[];
  readonly done: Done;
}

/** `gateway`: the address that clients use, without a slash at its end. */
export function stepsFor(gateway: string, seen: Seen): readonly Step[] {
  return [
    {
      name: 'cli',
      title: 'Connect your command line',
      about: 'On your machine. Your browser logs you in, and no token lies in a file.',
      commands: [`lictor login ${gateway}`, 'lictor exec -- prefect deployment ls'],
      done: has(seen.logins),
    },
    {
      name: 'token',
      title: 'Create a token for a worker',
      about: 'On the machine of the gateway. The secret is printed once, with the lines for the next step.',
      commands: ['lictor token create first-worker --role worker'],
      done: has(seen.tokens?.filter(({ roles, state }) => state === 'live' && roles.includes('worker')) ?? null),
    },
    {
      name: 'worker',
      title: 'Start a worker',
      about: 'Where your flows run. The worker is stock Prefect: two variables are all that changes.',
      commands: [
        `export PREFECT_API_URL=${gateway}/api\nexport PREFECT_API_AUTH_STRING=any:TOKEN`,
        'prefect work-pool create first-pool --type process\nprefect worker start --pool first-pool',
      ],
      done: has(seen.workers),
    },
    {
      name: 'run',
      title: 'Run a flow',
      about: 'From the command line, or from the UI of Prefect. Its timeline says who started it.',
      commands: ["lictor exec -- prefect deployment run 'FLOW/DEPLOYMENT' --watch"],
      done: has(seen.runs),
    },
  ];
}

function has(found: readonly unknown[] | null): Done {
  if (found === null) return 'unknown';
  return found.length > 0 ? 'yes' : 'no';
}

/** The step that comes next. Undefined: all have happened, or nobody can say. */
export function nextStep(steps: readonly Step[]): Step | undefined {
  return steps.find(({ done }) => done === 'no');
}

const NEW_MS = 60_000;

export function isNew(seenAt: string, nowMs: number): boolean {
  return Date.parse(seenAt) > nowMs - NEW_MS;
}
