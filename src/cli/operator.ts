// Who runs a command: the user of the operating system, and the person behind that user as far as the environment names one.
import { userInfo } from 'node:os';
import type { Environment } from '../config/load.ts';
import { assertedPerson } from '../contract/asserted.ts';
import { printable } from '../contract/printable.ts';

export interface Operator {
  /** As records name it: `local:root`. */
  readonly principal: string;
  /** For `on_behalf_of`: who called sudo, and from which address ssh came. The user can set both to any text. */
  readonly asserted: readonly string[];
}

const LONGEST = 128;

export function operatorOf(env: Environment): Operator {
  const user = osUser();
  const sudo = env['SUDO_USER'] ?? '';
  const [address = ''] = (env['SSH_CONNECTION'] ?? '').split(' ');
  const names = [...(sudo === user ? [] : [sudo]), address === '' ? '' : `ssh ${address}`].filter((name) => name !== '');
  return { principal: `local:${user}`, asserted: names.map((name) => assertedPerson(printable(name).slice(0, LONGEST))) };
}

/** A user who can write the store's file can do anything with it: the operating system has authenticated them. */
function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have no entry in passwd.
    return `uid-${process.geteuid?.() ?? 'unknown'}`;
  }
}
