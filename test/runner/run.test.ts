// The runner: what it counts, and that nothing passes by breaking down.
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { readJunit } from './python-suite.ts';
import { accepts, besideEachOther, chooseSuites, joined, runSuite, runSuites } from './run.ts';
import { type Counts, inShort, PASSED, renderCounts, type Suite } from './suite.ts';
import { judge, readOutcome } from './vitest-suite.ts';

const counts = (passed: number, failed: number, skipped: number): Counts => ({ passed, failed, skipped });
const suite = (name: string): Suite => ({ name, summary: '', run: async () => PASSED });

describe('the last line', () => {
  it('names skipped tests only when there are some', () => {
    expect(renderCounts(counts(3, 0, 0))).toBe('3 passed, 0 failed');
    expect(renderCounts(counts(3, 1, 2))).toBe('3 passed, 1 failed, 2 skipped');
  });
});

describe('accepts', () => {
  it('wants something to have passed and nothing to have failed', () => {
    expect(accepts(counts(1, 0, 0), {})).toBe(true);
    expect(accepts(counts(5, 1, 0), {})).toBe(false);
    expect(accepts(counts(0, 0, 0), {})).toBe(false);
  });

  it('takes no skipped test on CI', () => {
    expect(accepts(counts(1, 0, 1), {})).toBe(true);
    expect(accepts(counts(1, 0, 1), { CI: 'true' })).toBe(false);
  });
});

describe('readOutcome', () => {
  const test = (status: string) => ({
    status,
    ancestorTitles: ['a door'],
    title: 'opens',
    ...(status === 'failed' && { failureMessages: ['Error: shut\n  at'] }),
  });
  const file = (status: string, ...tests: string[]) => ({
    status,
    name: join(REPOSITORY, 'test/x.test.ts'),
    message: tests.length === 0 ? 'no such import\nat' : '',
    assertionResults: tests.map(test),
  });

  it('counts tests, and whatever neither passed nor failed as skipped; what failed is named, with why', () => {
    expect(readOutcome('unit', { testResults: [file('passed', 'passed', 'skipped', 'todo'), file('failed', 'passed', 'failed')] })).toEqual({
      ...counts(2, 1, 2),
      failures: ['test/x.test.ts > a door > opens: Error: shut'],
    });
  });

  it('counts a file that broke before its tests, and a report that is none, as one failure', () => {
    expect(readOutcome('unit', { testResults: [file('failed'), file('passed', 'passed')] })).toEqual({
      ...counts(1, 1, 0),
      failures: ['test/x.test.ts: no such import'],
    });
    expect(readOutcome('unit', undefined)).toEqual({ ...counts(0, 1, 0), failures: ['unit: vitest broke down before its report'] });
  });
});

describe('readJunit', () => {
  const report = (attributes: string, cases = '') =>
    `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" ${attributes} time="1.2">${cases}</testsuite></testsuites>`;

  it('counts tests, with errors as failures, and names those', () => {
    const fine = '<testcase classname="tests.test_a" name="test_b" time="0.1" />';
    const bad = '<testcase classname="tests.test_a" name="test_c[1]" time="0.1"><failure message="assert 1 == 2">x</failure></testcase>';
    expect(readJunit(report('errors="1" failures="2" skipped="3" tests="10"', fine + bad))).toEqual({
      ...counts(4, 3, 3),
      failures: ['python: tests.test_a > test_c[1], see above'],
    });
  });

  it('counts a report that is none as one failure', () => {
    expect(readJunit('')).toMatchObject(counts(0, 1, 0));
    expect(readJunit(report('tests="10"'))).toMatchObject(counts(0, 1, 0));
  });
});

describe('judge', () => {
  const outcome = (passed: number, failed: number, skipped: number) => ({ ...counts(passed, failed, skipped), failures: [] });

  it('turns a bad end without a failed test, and a run of nothing, into a failure', () => {
    expect(judge('unit', outcome(4, 0, 0), 0)).toEqual(outcome(4, 0, 0));
    expect(judge('unit', outcome(4, 0, 0), 1)).toEqual({ ...counts(4, 1, 0), failures: ['unit: ended with 1, though no test failed'] });
    expect(judge('unit', outcome(4, 0, 0), null)).toMatchObject(counts(4, 1, 0));
    expect(judge('unit', outcome(0, 0, 3), 0)).toEqual({ ...counts(0, 1, 3), failures: ['unit: nothing ran'] });
    expect(judge('unit', outcome(4, 1, 0), 1)).toEqual(outcome(4, 1, 0));
  });
});

describe('inShort', () => {
  it('is the first line, and not all of a long one', () => {
    expect(inShort('Error: a\n at b')).toBe('Error: a');
    expect(inShort('x'.repeat(400))).toBe(`${'x'.repeat(300)}…`);
  });
});

describe('chooseSuites', () => {
  const all = [suite('lint'), suite('unit'), suite('endurance')];

  it('takes the usual ones without names, else the named ones in their own order', () => {
    expect(chooseSuites([], all, all.slice(0, 2)).map(({ name }) => name)).toEqual(['lint', 'unit']);
    expect(chooseSuites(['endurance', 'lint'], all, []).map(({ name }) => name)).toEqual(['lint', 'endurance']);
  });

  it('refuses a named suite that has no tests: it must not look as if it had passed', () => {
    expect(() => chooseSuites(['soak'], [...all, { ...suite('soak'), isEmpty: () => true }], all)).toThrow(/no tests of this kind/);
    expect(chooseSuites(['soak'], [...all, { ...suite('soak'), isEmpty: () => false }], all)).toHaveLength(1);
  });

  it('refuses a name that is none', async () => {
    expect(() => chooseSuites(['units'], all, all)).toThrow(/no suite units/);
    await expect(runSuites({ names: ['units'], out: new PassThrough(), env: {} })).rejects.toThrow(/There are: lint/);
  });
});

describe('joined', () => {
  const [integration, e2e, both, unit] = [suite('integration'), suite('e2e'), suite('integration, e2e'), suite('unit')];

  it('puts one suite in the place of those that share their servers, when all of them are chosen', () => {
    expect(joined([integration, e2e, unit], [integration, e2e], both)).toEqual([both, unit]);
    expect(joined([integration, unit], [integration, e2e], both)).toEqual([integration, unit]);
    expect(joined([e2e], [integration, e2e], both)).toEqual([e2e]);
  });
});

describe('runSuite', () => {
  it('counts a suite that throws as failed, and says why', async () => {
    const out = new PassThrough();
    const broken: Suite = { name: 'broken', summary: 'x', run: () => Promise.reject(new Error('tool is missing')) };
    expect(await runSuite(broken, { out, env: {}, others: Promise.resolve() })).toEqual({
      ...counts(0, 1, 0),
      failures: ['broken: tool is missing'],
    });
    expect(String(out.read())).toContain('tool is missing');
  });
});

describe('suites beside each other', () => {
  it('start at once, and one is reported when the others have ended, with any result', async () => {
    const said: string[] = [];
    const [gates, went] = [[Promise.withResolvers<void>(), Promise.withResolvers<void>()], Promise.withResolvers<void>()];
    const all = besideEachOther(['long', 'failing', 'short'], async (name, others) => {
      said.push(`${name} begins`);
      if (name === 'long') {
        await others;
        said.push('the rest');
        return went.resolve();
      }
      await gates[name === 'failing' ? 0 : 1]?.promise;
      said.push(`${name} ends`);
      if (name === 'failing') throw new Error('broken');
    }).catch((error: Error) => error.message);
    gates[1]?.resolve();
    await gates[1]?.promise;
    expect(said).toEqual(['long begins', 'failing begins', 'short begins', 'short ends']);
    gates[0]?.resolve();
    expect(await all).toBe('broken');
    await went.promise;
    expect(said.slice(4)).toEqual(['failing ends', 'the rest']);
  });
});
