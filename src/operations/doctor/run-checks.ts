// Runs all checks at once, each within its time; one that throws or hangs is a finding, never the end of the others.
import { type Check, type Finding, fail, GROUPS, type Verdict } from './finding.ts';

const LIMIT_MS = 15_000;

/** Group by group; within a group as they are. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
}

/** Findings in the order in which the checks were given. Never rejects. */
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
      () =>
        resolve(fail(`${group} ${name} got no answer within ${limitMs / 1000} s`, 'What this check asks accepts connections and does not answer: restart it.')),
      limitMs,
    );
  });
  try {
    const verdict = await Promise.race([Promise.resolve().then(run), late]);
    return [verdict].flat();
  } catch (error) {
    // A check never decides anything: that it could not be made is its finding.
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
