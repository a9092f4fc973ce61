// Asking a provider whether somebody it let in may go on, and the record where the answer is no.
import type { Logger } from 'pino';
import { type Confirm, type Confirmable, type ConfirmedStore, type ConfirmMemory, type ConfirmParts, createConfirm } from './authn/external/confirm.ts';
import type { ExternalProvider } from './authn/external/provider.ts';
import type { Config } from './config/config.ts';
import { REASONS } from './contract/reasons.ts';
import type { Ledger } from './ledger/ledger.ts';

/** What outlives every configuration. */
interface ConfirmingHouse extends Pick<ConfirmParts, 'store' | 'sealer' | 'clock' | 'steady'> {
  readonly log: Logger;
  readonly ledger: Pick<Ledger, 'append'>;
}

interface Confirming<T extends Confirmable> {
  readonly config: Config;
  readonly providers: readonly ExternalProvider[];
  readonly sessions: ConfirmedStore<T>;
  readonly memory: ConfirmMemory<T>;
}

/** A session that ends by the word of its provider, or for want of it, is recorded like any other end. */
export function confirmWith<T extends Confirmable>(
  { store, sealer, clock, steady, log, ledger }: ConfirmingHouse,
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
