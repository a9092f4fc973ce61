import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkParents, checkTempDir, closedParents, tempDirInUse } from './reachability.ts';
import { openTestState, type TestState } from './state.fixture.ts';

/** Nobody of this machine owns anything. */
const STRANGER = { name: 'stranger', uid: 54_321, gid: 54_321 };

describe('reachability', () => {
  let state: TestState;
  beforeEach(() => {
    state = openTestState();
    chmodSync(state.paths.root, 0o711);
  });
  afterEach(() => state.remove());

  it('finds every parent open, and names the one that is not', () => {
    expect(checkParents(state.paths.root, STRANGER, undefined)).toMatchObject({ status: 'ok' });
    chmodSync(state.paths.root, 0o700);
    expect(closedParents(join(state.paths.root, 'log'), STRANGER)).toContain(state.paths.root);
    expect(closedParents(state.paths.root, state.us)).toEqual([]);
    expect(checkParents(state.paths.root, null, undefined)).toMatchObject({ status: 'ok' });
  });

  it('warns while bodies go elsewhere, and fails when they go there', () => {
    chmodSync(state.paths.root, 0o700);
    expect(checkParents(state.paths.root, STRANGER, '/dev/shm/lictor/tmp')).toMatchObject({ status: 'warn' });
    expect(checkParents(state.paths.root, STRANGER, join(state.paths.root, 'tmp'))).toMatchObject({
      status: 'fail',
      remedy: expect.stringContaining('chmod o+x'),
    });
  });

  it('reads the directory for bodies from the configuration in use', () => {
    expect(tempDirInUse(state.paths)).toBeUndefined();
    mkdirSync(join(state.paths.edge, 'current'), { recursive: true });
    state.write(join(state.paths.edge, 'current', 'nginx.conf'), 'http {\n    client_body_temp_path "/var/x/tmp/client_body";\n');
    expect(tempDirInUse(state.paths)).toBe('/var/x/tmp');
  });

  it('requires that the worker user can write the directory for bodies', () => {
    const dir = join(state.paths.root, 'tmp');
    expect(checkTempDir(undefined, null)).toMatchObject({ status: 'warn' });
    expect(checkTempDir(dir, null)).toMatchObject({ status: 'fail', message: expect.stringContaining('missing') });
    mkdirSync(join(dir, 'client_body'), { recursive: true, mode: 0o700 });
    expect(checkTempDir(dir, null)).toMatchObject({ status: 'ok' });
    expect(checkTempDir(dir, STRANGER)).toMatchObject({ status: 'fail', message: expect.stringContaining('cannot write') });
    chmodSync(join(dir, 'client_body'), 0o500);
    expect(checkTempDir(dir, null)).toMatchObject({ status: 'fail' });
  });
});
