// Runs all checks at once, each with a time limit. A check that throws or hangs is a finding, and the others continue.
import { type Check, type Finding, fail, GROUPS, type Verdict } from './finding.ts';

const LIMIT_MS = 15_000;

/** By group, otherwise in the given order. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
}

/** In the order of the checks. Never rejects. */
export async function runChecks(checks: readonly Check[], limitMs = LIMIT_MS): Promise<readonly Finding[]> {
  const found = await Promise.all(checks.map((check) => runCheck(check, limitMs)));
  return found.flat();
}

async function runCheck({ group, name, run }: Check, limitMs: number): Promise<readonly Finding[]> {
  const verdicts = await bounded({ group, name, run }, limitMs);
  return verdicts.map((verdict) => ({ group, check: name, ...verdict }));
}

async function bounded({ group, name, run }: Check, limitMs: number): Promise<readonly Verdict[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Verdict>((resolve) => {
    timer = setTimeout(
      () => resolve(fail(`${group} ${name} got no answer within ${limitMs / 1000} s`, 'The server accepts connections and does not answer: restart it.')),
      limitMs,
    );
  });
  try {
    const verdict = await Promise.race([Promise.resolve().then(run), late]);
    return [verdict].flat();
  } catch (error) {
    // A check decides nothing, so its failure is only a finding.
    return [
      fail(
        `${group} ${name} could not be checked: ${error instanceof Error ? error.message : String(error)}`,
        'Fix what it names, then run lictor doctor again.',
      ),
    ];
  } finally {
    clearTimeout(timer);
  }
}
