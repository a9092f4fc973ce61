// The runner: what it counts, and that nothing passes by breaking down.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { countJunit } from './python-suite.ts';
import { accepts, besideEachOther, chooseSuites, runSuite, runSuites } from './run.ts';
import { type Counts, PASSED, renderCounts, type Suite } from './suite.ts';
import { countReport, judge } from './vitest-suite.ts';

const counts = (passed: number, failed: number, skipped: number): Counts => ({ passed, failed, skipped });
const suite = (name: string): Suite => ({ name, summary: '', run: async () => PASSED });
const file = (status: string, ...tests: string[]) => ({ status, name: 'x.test.ts', assertionResults: tests.map((test) => ({ status: test })) });

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

describe('countReport', () => {
  it('counts tests, and whatever neither passed nor failed as skipped', () => {
    expect(countReport({ testResults: [file('passed', 'passed', 'skipped', 'todo'), file('failed', 'passed', 'failed')] })).toEqual(counts(2, 1, 2));
  });

  it('counts a file that broke before its tests, and a report that is none, as one failure', () => {
    expect(countReport({ testResults: [file('failed'), file('passed', 'passed')] })).toEqual(counts(1, 1, 0));
    expect(countReport(undefined)).toEqual(counts(0, 1, 0));
  });
});

describe('countJunit', () => {
  const report = (attributes: string) =>
    `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" ${attributes} time="1.2"></testsuite></testsuites>`;

  it('counts tests, with errors as failures', () => {
    expect(countJunit(report('errors="1" failures="2" skipped="3" tests="10"'))).toEqual(counts(4, 3, 3));
  });

  it('counts a report that is none as one failure', () => {
    expect(countJunit('')).toEqual(counts(0, 1, 0));
    expect(countJunit(report('tests="10"'))).toEqual(counts(0, 1, 0));
  });
});

describe('judge', () => {
  it('turns a bad end without a failed test, and a run of nothing, into a failure', () => {
    expect(judge(counts(4, 0, 0), 0)).toEqual(counts(4, 0, 0));
    expect(judge(counts(4, 0, 0), 1)).toEqual(counts(4, 1, 0));
    expect(judge(counts(4, 0, 0), null)).toEqual(counts(4, 1, 0));
    expect(judge(counts(0, 0, 3), 0)).toEqual(counts(0, 1, 3));
    expect(judge(counts(4, 1, 0), 1)).toEqual(counts(4, 1, 0));
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

describe('runSuite', () => {
  it('counts a suite that throws as failed, and says why', async () => {
    const out = new PassThrough();
    const broken: Suite = { name: 'broken', summary: 'x', run: () => Promise.reject(new Error('tool is missing')) };
    expect(await runSuite(broken, { out, env: {}, others: Promise.resolve() })).toEqual(counts(0, 1, 0));
    expect(String(out.read())).toContain('tool is missing');
  });
});

describe('suites beside each other', () => {
  it('begin at once, and one is told when the others have ended, however they did', async () => {
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
