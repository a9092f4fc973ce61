// The Python package for flows: format and lint (ruff), types (mypy), and its tests (pytest), with real Prefects beside it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { ensurePrefect } from '../../src/cli/prefect-venv.ts';
import { REPOSITORY, toolCacheDir } from '../../src/cli/repository.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { ensureVenv } from '../../src/cli/venv.ts';
import { oldClientVenv } from '../env/venv.ts';
import { addOutcomes, failed, type Outcome, PASSED, type Suite, type SuiteContext } from './suite.ts';
import { judge } from './vitest-suite.ts';

const PACKAGE = join(REPOSITORY, 'python');
const TOOLS = ['httpx==0.28.1', 'mypy==2.4.1', 'pytest==9.2.0', 'ruff==0.17.6', 'trustme==1.2.1'] as const;
/** The oldest whose settings are read; the other end is the Prefect of the tests. */
const OLDEST_CLIENT = '3.6.13';

export const PYTHON: Suite = {
  name: 'python',
  summary: 'the Python package for flows (ruff, mypy, pytest)',
  besideOthers: true,
  async run(context) {
    const { bin, env } = await bring(context);
    const cache = ['--cache-dir', join(toolCacheDir(env), 'mypy')];
    const checks: readonly (readonly [string, ...string[]])[] = [
      ['ruff', 'check', '--no-cache', '.'],
      ['ruff', 'format', '--no-cache', '--diff', '.'],
      ['mypy', ...cache],
    ];
    const outcomes: Outcome[] = [];
    for (const [tool, ...args] of checks) outcomes.push(await check({ command: join(bin, tool), args }, { ...context, env }));
    outcomes.push(await runPytest(bin, { ...context, env }));
    return outcomes.reduce(addOutcomes);
  },
};

async function bring({ out, env }: SuiteContext): Promise<Pick<SuiteContext, 'env'> & { readonly bin: string }> {
  const onProgress = (line: string) => out.write(`  ${line}\n`);
  const cacheDir = toolCacheDir(env);
  const directory = join(cacheDir, `python-${TOOLS.join('-').replaceAll('==', '-')}`);
  const bin = await ensureVenv({ directory, requirements: TOOLS, cacheDir, env, onProgress });
  const { directory: prefect } = await ensurePrefect({ cacheDir, env, onProgress });
  const prefects = [prefect, await oldClientVenv(OLDEST_CLIENT)].join(delimiter);
  return { bin, env: { ...env, LICTOR_PREFECTS: prefects, PYTHONDONTWRITEBYTECODE: '1' } };
}

async function check(tool: { readonly command: string; readonly args: readonly string[] }, { out, env }: SuiteContext): Promise<Outcome> {
  const { status, output } = await runCommand({ ...tool, env, cwd: PACKAGE });
  if (status === 0) return PASSED;
  out.write(output);
  return failed(`python: ${[basename(tool.command), ...tool.args].join(' ')}, see above`);
}

async function runPytest(bin: string, { out, env }: SuiteContext): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-pytest-'));
  try {
    const report = join(directory, 'report.xml');
    const { status, output } = await runCommand({ command: join(bin, 'pytest'), args: ['-q', `--junitxml=${report}`], env, cwd: PACKAGE });
    if (status !== 0) out.write(output);
    return judge('python', readJunit(readReport(report)), status);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readReport(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // pytest broke down before the end: countJunit says so.
    return '';
  }
}

/** Of pytest's one `<testsuite>`; what broke before its test is a failure, and so is a report that is none. */
export function readJunit(report: string): Outcome {
  const [suite = ''] = /<testsuite [^>]*>/.exec(report) ?? [];
  const [tests, failures, errors, skipped] = ['tests', 'failures', 'errors', 'skipped'].map((name) => new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1]);
  if (tests === undefined || failures === undefined || errors === undefined || skipped === undefined)
    return failed('python: pytest broke down before its report');
  const broken = Number(failures) + Number(errors);
  const named = report.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) /g);
  return {
    passed: Math.max(0, Number(tests) - broken - Number(skipped)),
    failed: broken,
    skipped: Number(skipped),
    failures: [...named].map(([, where, test]) => `python: ${where} > ${test}, see above`),
  };
}
