import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkProcesses, limitsOf, supervisorPid } from './processes.ts';
import { openTestState, type TestState } from './state.fixture.ts';

describe('processes', () => {
  let state: TestState;
  beforeEach(() => {
    state = openTestState();
  });
  afterEach(() => state.remove());

  it('says first that the gateway does not run', () => {
    expect(supervisorPid(state.paths)).toBeUndefined();
    expect(checkProcesses(state.paths)).toMatchObject({ status: 'fail', message: expect.stringContaining('does not run') });
    state.write(state.paths.supervisorPid, '999999999\n');
    expect(supervisorPid(state.paths)).toBeUndefined();
  });

  it('names the part that is missing beside a living supervisor', () => {
    state.write(state.paths.supervisorPid, `${process.pid}\n`);
    expect(supervisorPid(state.paths)).toBe(process.pid);
    expect(checkProcesses(state.paths)).toMatchObject({ status: 'fail', message: expect.stringContaining('the control plane does not') });
  });

  it('reads the limits of a process, and of itself when that one has ended', () => {
    expect(limitsOf(undefined)).toContain('Max open files');
    expect(limitsOf(999_999_999)).toContain('Max open files');
  });
});
