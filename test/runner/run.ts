// Runs suites, those that take long beside each other, and ends with the counts.
import type { Writable } from 'node:stream';
import { UsageError } from '../../src/cli/errors.ts';
import type { Environment } from '../../src/config/load.ts';
import { EDGE_SCAN } from './edge-scan.ts';
import { PACKAGING_LINT } from './packaging-lint.ts';
import { PYTHON } from './python-suite.ts';
import { PARTS_AND_REST } from './shares.ts';
import { STATIC_CHECKS } from './static-checks.ts';
import { addOutcomes, type Counts, failed, inShort, type Outcome, renderCounts, type Suite, type SuiteContext } from './suite.ts';
import { vitestSuite } from './vitest-suite.ts';

const OF_INTEGRATION = ['prefect', 'build', 'openssl', 'java', 'maven', 'postgres', 'pgbouncer', 'redis', 'haproxy'] as const;
const OF_BROWSERS = ['prefect', 'build', 'browser', 'java', 'maven'] as const;

const INTEGRATION = vitestSuite({ projects: ['integration'], summary: 'against a real Prefect and nginx', needs: OF_INTEGRATION, parts: PARTS_AND_REST });
const E2E = vitestSuite({ projects: ['e2e'], summary: 'end to end, with a browser', needs: OF_BROWSERS, parts: 2 });
/** Each part starts one Prefect, and one of them Keycloak, for the files of both. */
const BOTH = vitestSuite({
  projects: ['integration', 'e2e'],
  summary: 'against a real Prefect and nginx, and with a browser',
  needs: [...new Set([...OF_INTEGRATION, ...OF_BROWSERS])],
  parts: PARTS_AND_REST,
});
const ENDURANCE = vitestSuite({ projects: ['endurance'], summary: 'the long and large forms', needs: OF_BROWSERS });

/** The longest first: they are the first to get a lane. */
const USUAL: readonly Suite[] = [
  ...STATIC_CHECKS,
  EDGE_SCAN,
  PACKAGING_LINT,
  INTEGRATION,
  E2E,
  vitestSuite({ projects: ['unit'], summary: 'unit tests, beside the code', needs: ['build', 'openssl'] }),
  PYTHON,
];

export interface RunOptions {
  /** Empty: all but endurance. */
  readonly names: readonly string[];
  readonly out: Writable;
  readonly env: Environment;
}

/** True when something ran and nothing failed; on CI also nothing may be skipped. What failed is named at the end; the last line written is the counts. */
export async function runSuites({ names, out, env }: RunOptions): Promise<boolean> {
  const suites = joined(chooseSuites(names, [...USUAL, ENDURANCE], USUAL), [INTEGRATION, E2E], BOTH);
  const outcomes: Outcome[] = [];
  for (const suite of suites) if (suite.besideOthers !== true) outcomes.push(await runSuite(suite, { out, env, others: Promise.resolve() }));
  outcomes.push(
    ...(await besideEachOther(
      suites.filter((suite) => suite.besideOthers === true),
      (suite, others) => runSuite(suite, { out, env, others }),
    )),
  );
  const total = outcomes.reduce(addOutcomes);
  if (total.failures.length > 0) out.write(`Failed:\n${total.failures.map((failure) => `  ${failure}\n`).join('')}`);
  const isAccepted = accepts(total, env);
  if (!isAccepted && total.failed === 0) out.write(total.passed === 0 ? 'Nothing ran.\n' : 'On CI nothing may be skipped.\n');
  out.write(`${renderCounts(total)}\n`);
  return isAccepted;
}

/** Runs all at the same time. Prints the result of each after the others have ended. */
export function besideEachOther<Work, Result>(works: readonly Work[], run: (work: Work, others: Promise<unknown>) => Promise<Result>): Promise<Result[]> {
  const ends = works.map(() => Promise.withResolvers<void>());
  const othersOf = (index: number): Promise<unknown> => Promise.all(ends.filter((_, other) => other !== index).map(({ promise }) => promise));
  return Promise.all(works.map((work, index) => run(work, othersOf(index)).finally(ends[index]?.resolve)));
}

export function accepts({ passed, failed, skipped }: Counts, env: Environment): boolean {
  return failed === 0 && passed > 0 && (skipped === 0 || env['CI'] !== 'true');
}

/** In the order of `all`, whatever the order of the names; UsageError for a name that is none, or that has no tests. */
export function chooseSuites(names: readonly string[], all: readonly Suite[], usual: readonly Suite[]): readonly Suite[] {
  const unknown = names.filter((name) => !all.some((suite) => suite.name === name));
  if (unknown.length > 0) throw new UsageError(`no suite ${unknown.join(', ')}. There are: ${all.map(({ name }) => name).join(', ')}.`);
  const empty = all.filter((suite) => names.includes(suite.name) && suite.isEmpty?.() === true);
  if (empty.length > 0) throw new UsageError(`${empty.map(({ name }) => name).join(', ')}: there are no tests of this kind yet.`);
  return names.length === 0 ? usual : all.filter(({ name }) => names.includes(name));
}

/** With `whole` in the place of its `parts` when all of them are chosen. */
export function joined(suites: readonly Suite[], parts: readonly Suite[], whole: Suite): readonly Suite[] {
  if (!parts.every((part) => suites.includes(part))) return suites;
  return suites.flatMap((suite) => (suite === parts[0] ? whole : parts.includes(suite) ? [] : suite));
}

/** A suite that throws has failed. */
export async function runSuite(suite: Suite, context: SuiteContext): Promise<Outcome> {
  const { out } = context;
  out.write(`== ${suite.name}: ${suite.summary}\n`);
  const startedMs = performance.now();
  const outcome = await suite.run(context).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    out.write(`${message}\n`);
    return failed(`${suite.name}: ${inShort(message)}`);
  });
  out.write(`== ${suite.name}: ${renderCounts(outcome)} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)\n`);
  return outcome;
}
