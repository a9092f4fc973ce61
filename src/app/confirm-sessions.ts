// Asks a provider whether a principal that it authenticated may continue, and records it when the answer is no.
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { REASONS } from '../contract/reasons.ts';
import {
  type Confirm,
  type Confirmable,
  type ConfirmedStore,
  type ConfirmMemory,
  type ConfirmParts,
  createConfirm,
} from '../identity/authn/external/confirm.ts';
import type { ExternalProvider } from '../identity/authn/external/provider.ts';
import type { Ledger } from '../record/ledger/ledger.ts';

/** Services of the process. */
interface ConfirmServices extends Pick<ConfirmParts, 'store' | 'sealer' | 'clock' | 'steady'> {
  readonly log: Logger;
  readonly ledger: Pick<Ledger, 'append'>;
}

interface Confirming<T extends Confirmable> {
  readonly config: Config;
  readonly providers: readonly ExternalProvider[];
  readonly sessions: ConfirmedStore<T>;
  readonly memory: ConfirmMemory<T>;
}

/** A session that its provider ends, or that ends because the provider does not answer, is recorded like any other end. */
export function confirmWith<T extends Confirmable>(
  { store, sealer, clock, steady, log, ledger }: ConfirmServices,
  { config, ...confirming }: Confirming<T>,
): Confirm<T> {
  return createConfirm({
    ...confirming,
    store,
    sealer,
    config,
    clock,
    steady,
    onNoAnswer: (idp, detail) => log.warn({ idp, detail }, 'an identity provider gives no answer about a session'),
    async onEnded(session, reason, detail) {
      const { id, owner } = session;
      const { idp, name } = owner.kind === 'identity' ? owner.identity : { idp: null, name: owner.account.name };
      log.info({ idp, reason, detail, session_id: id }, 'a session was not renewed');
      const record = {
        time: new Date(clock()).toISOString(),
        principal: `${name}@${idp}`,
        principal_kind: 'user',
        idp,
        ...('scopes' in session ? { grant_id: session.id } : { session_id: session.id }),
        mode: 'enforce',
      } as const;
      await ledger
        .append({ ...record, action: 'session.refresh', decision: 'deny', reason, status: REASONS[reason].status })
        .catch((error: unknown) => log.error({ err: error }, 'the end of a session could not be recorded'));
    },
  });
}
