// The owner of a state directory. This process owns its own files, so the tests pass another user for another owner.
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertStateOurs, type ProcessUser, userName } from './state-owner.ts';

const isRoot = process.getuid?.() === 0;
const us = process.geteuid?.() ?? 0;
let state = '';

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'lictor-owner-'));
});
afterEach(() => {
  rmSync(state, { recursive: true, force: true });
});

const user = (uid: number, writes = false): ProcessUser => ({ uid, mayWrite: () => writes });
const ours = () => userInfo().username;

describe("a state directory with a gateway's logs", () => {
  beforeEach(() => mkdirSync(join(state, 'log')));

  it('belongs only to its user: another user gets the command to run as that user, and no advice to remove files', () => {
    const somebodyElse = () => assertStateOurs(state, user(us + 12_345, true));
    expect(somebodyElse).toThrow(`${state} belongs to user ${ours()}: run this as that user (sudo${us === 0 ? '' : ` -u ${ours()}`} ./lictor ...).`);
    expect(somebodyElse).toThrow(expect.objectContaining({ code: 'state-dir-unusable' }));
    expect(somebodyElse).not.toThrow(/remove/);
  });

  it('is usable to that user, by another name too', () => {
    expect(() => assertStateOurs(state)).not.toThrow();
    symlinkSync(state, `${state}-alias`);
    expect(() => assertStateOurs(`${state}-alias`)).not.toThrow();
    rmSync(`${state}-alias`);
  });

  it.runIf(isRoot)('of an unprivileged gateway is not for root, whose files that gateway could not touch', () => {
    chownSync(join(state, 'log'), 12_345, 12_345);
    chownSync(state, 12_345, 12_345);
    expect(() => assertStateOurs(state)).toThrow(`${state} belongs to user 12345: run this as that user (sudo -u '#12345' ./lictor ...).`);
  });

  it.runIf(isRoot)("of a gateway that runs as root is root's, whoever was given the directory", () => {
    chownSync(state, 12_345, 12_345);
    expect(() => assertStateOurs(state)).not.toThrow();
    expect(() => assertStateOurs(state, user(12_345, true))).toThrow(
      `${join(state, 'log')} belongs to user root: run this as that user (sudo ./lictor ...); or, where the gateway runs as 12345, give all of it back (as root: chown -R 12345 ${state}).`,
    );
  });
});

describe('a state directory without them', () => {
  it('that is not there yet is for everybody', () => {
    expect(() => assertStateOurs(join(state, 'not-yet'), user(us + 12_345))).not.toThrow();
  });

  it('is for those who were let in by its group, and for nobody else', () => {
    expect(() => assertStateOurs(state, user(us + 12_345, true))).not.toThrow();
    expect(() => assertStateOurs(state, user(us + 12_345))).toThrow(/belongs to user .*, or give another one with --state-dir DIR\.$/);
  });

  it.runIf(isRoot)('and of an unprivileged user is not for root', () => {
    chownSync(state, 12_345, 12_345);
    expect(() => assertStateOurs(state)).toThrow(`${state} belongs to user 12345: run this as that user (sudo -u '#12345' ./lictor ...), or give`);
    chownSync(state, 0, 0);
    expect(() => assertStateOurs(state)).not.toThrow();
  });
});

describe('the name of a user', () => {
  it('is that of the password file, and none of a directory service', () => {
    expect(userName('root:x:0:0::/:/x\nlictor:x:999:999::/:/x\n', 999)).toBe('lictor');
    expect(userName(readFileSync('/etc/passwd', 'utf8'), 4_000_000_000)).toBeUndefined();
  });
});
