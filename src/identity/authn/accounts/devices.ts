// Devices on which an account has logged in before. A sealed cookie proves it. Failed logins of other devices do not delay such a device.
import { createHash, randomBytes } from 'node:crypto';
import type { Sealer } from '../../../config/keys/sealer.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { StoredAccount } from '../../../store/accounts.ts';

/** How long Lictor recognises a device after its last login. */
export const DEVICE_LIFE_MS = 90 * 86_400_000;

export interface Devices {
  /** The cookie value for this browser after a login. Each one is new. */
  remember(account: StoredAccount): string;
  /** The id of the device. Undefined: no login of this account with its present password made the cookie, or it has expired. Proves no identity. */
  recognise(cookieValue: string, account: StoredAccount): string | undefined;
}

export function createDevices(sealer: Sealer, clock: Clock): Devices {
  return {
    remember: (account) => sealer.seal(`${randomBytes(16).toString('base64url')} ${clock() + DEVICE_LIFE_MS}`, about(account)),
    recognise(cookieValue, account) {
      const [id, expiresMs] = (sealer.open(cookieValue, about(account)) ?? '').split(' ');
      return id !== undefined && Number(expiresMs) > clock() ? id : undefined;
    },
  };
}

/** Another account, or another password of it, cannot open the cookie. */
function about({ id, password }: StoredAccount): string {
  return `login device of ${id} ${createHash('sha256').update(password).digest('base64')}`;
}
