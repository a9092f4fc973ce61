import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statePaths } from '../../config/state-dir.ts';
import { nginxWorkerUser } from '../../config/worker-user.ts';
import { prepareTempDir } from './temp-dir.ts';

const STRANGER = { name: 'stranger', uid: 54_321, gid: 54_321 };

describe('the directory for large bodies', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'lictor-temp-dir-'));
    chmodSync(home, 0o711);
    mkdirSync(join(home, 'run'), { mode: 0o711 });
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  const paths = () => statePaths(home, join(home, 'run'));
  const ownerAndMode = (dir: string) => [statSync(dir).uid, statSync(dir).mode & 0o777];

  it("is ours, and nginx's workers only pass; it is closed where they are we", () => {
    expect(ownerAndMode(prepareTempDir(paths(), STRANGER))).toEqual([process.geteuid?.(), 0o711]);
    expect(ownerAndMode(prepareTempDir(paths(), null))).toEqual([process.geteuid?.(), 0o700]);
  });

  it('loses what is no directory, as from the time when it was theirs, and keeps the directories', () => {
    const dir = prepareTempDir(paths(), STRANGER);
    mkdirSync(join(home, 'elsewhere'));
    mkdirSync(join(dir, 'kept-billing'));
    symlinkSync(join(home, 'elsewhere'), join(dir, 'scgi'));
    prepareTempDir(paths(), STRANGER);
    expect([existsSync(join(dir, 'scgi')), existsSync(join(dir, 'kept-billing')), existsSync(join(home, 'elsewhere'))]).toEqual([false, true, true]);
  });

  const worker = nginxWorkerUser();
  it.runIf(worker !== null)('lets no worker put a link where nginx gives it a directory as root', () => {
    if (worker === null) return;
    const dir = prepareTempDir(paths(), worker);
    const asWorker = (...[command = '', ...args]: readonly string[]) =>
      execFileSync(command, args, { uid: worker.uid, gid: worker.gid, stdio: 'pipe', encoding: 'utf8', cwd: '/' });
    expect(() => asWorker('ln', '-s', '/etc', join(dir, 'scgi'))).toThrow(/Permission denied/);
    // The twin: it writes to its own directories.
    mkdirSync(join(dir, 'client_body'));
    execFileSync('chown', [worker.name, join(dir, 'client_body')]);
    asWorker('touch', join(dir, 'client_body', 'body'));
    expect(existsSync(join(dir, 'client_body', 'body'))).toBe(true);
  });
});
