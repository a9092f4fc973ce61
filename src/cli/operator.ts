// The operator of a command: the user of the operating system, and the person behind it if the environment names one.
import { userInfo } from 'node:os';
import type { Environment } from '../config/load.ts';
import { assertedPerson } from '../contract/chain-words.ts';
import { printable } from '../contract/printable.ts';

export interface Operator {
  /** The name in records: `local:root`. */
  readonly principal: string;
  /** For `on_behalf_of`: the user of sudo, and the address of ssh. The user can set both to any text. */
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

/** The operating system has authenticated the user. A user who can write the store's file can change everything in it. */
function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have no entry in passwd.
    return `uid-${process.geteuid?.() ?? 'unknown'}`;
  }
}
