// Password hashes: argon2id in PHC notation, at most two at a time.
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { createFairLine, type Place } from '../../../contract/fair-line.ts';

/** OWASP's minimum for argon2id: 19 MiB, two passes; about 40 ms here. */
const COST: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;

/** 19 MiB and a core each: two leave threads of the pool and memory to other work. */
const AT_ONCE = 2;
/** Under three seconds of waiting. Beyond that the answer is `busy`. */
const WAITING = 128;

/** A longer text is no password but an attempt to use up CPU time. */
export const LONGEST_PASSWORD = 1024;
export const SHORTEST_PASSWORD = 8;

/** For commands. */
const OWN: Place = { from: '', isKnown: true };

interface Cost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

export type PasswordCheck = 'right' | 'wrong' | 'busy';

export interface Passwords {
  /** PHC text of a password. Throws when busy: only commands call it. */
  hash(password: string): Promise<string>;
  /** `phc` null: no such account. The check takes as long as for a wrong password, and fails. `busy`: too many are waiting. */
  check(password: string, phc: string | null, place: Place): Promise<PasswordCheck>;
}

/** `waiting`: how many may wait, of known devices and of all others. */
export function createPasswords(waiting = WAITING): Passwords {
  const line = createFairLine({ atOnce: AT_ONCE, waiting });
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      const tag = await line.run(OWN, () => derive(password, salt, COST));
      if (tag === 'busy') throw new Error('too many passwords are being hashed');
      return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
    },
    async check(password, phc, place) {
      if (password.length > LONGEST_PASSWORD) return 'wrong';
      const known = phc === null ? undefined : parsePhc(phc);
      const tag = await line.run(place, () => derive(password, known?.salt ?? randomBytes(SALT_BYTES), known?.cost ?? COST));
      if (tag === 'busy') return 'busy';
      return known !== undefined && timingSafeEqual(tag, known.tag) ? 'right' : 'wrong';
    },
  };
}

interface Phc {
  readonly cost: Cost;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/** Undefined for anything but an output of `hash`, so that a broken row permits no login. */
export function parsePhc(text: string): Phc | undefined {
  const match = PHC.exec(text);
  if (match === null) return undefined;
  const [, memory, passes, parallelism, salt = '', tag = ''] = match;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  if (cost.memory < 8 * cost.parallelism || cost.passes < 1 || cost.parallelism < 1) return undefined;
  return { cost, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

/** NFKC: the same password, typed on another keyboard, stays the same (NIST SP 800-63B 5.1.1.2). */
function derive(password: string, nonce: Buffer, cost: Cost): Promise<Buffer> {
  const parameters: Argon2Parameters = { message: password.normalize('NFKC'), nonce, tagLength: TAG_BYTES, ...cost };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error === null ? resolve(tag) : reject(error)));
  });
}
