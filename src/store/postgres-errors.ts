// What an error of Postgres, or of the connection to it, means for the operator. The password is in none of them.
import { LictorError } from '../contract/error.ts';
import { STANDBY } from './postgres-connection.ts';

interface Meaning {
  readonly code: string;
  /** `store`: the address without the password. */
  readonly message: (store: string) => string;
}

const UNREACHABLE: Meaning = {
  code: 'store-unreachable',
  message: (store) => `The store ${store} does not answer: check that Postgres runs there, and the network and firewall between.`,
};
const READ_ONLY: Meaning = {
  code: 'store-read-only',
  message: (store) => `The store ${store} accepts no changes: it is a standby, or default_transaction_read_only is on. Name the primary server in \`store\`.`,
};
const REJECTED: Meaning = {
  code: 'store-password',
  message: (store) => `The store ${store} rejects the user or its password: check \`store\` in lictor.yaml, its password, and pg_hba.conf of Postgres.`,
};
const BUSY: Meaning = {
  code: 'store-busy',
  message: (store) => `Nothing was changed: too many changes at once in the store ${store}. Try again.`,
};
const DAMAGED: Meaning = {
  code: 'store-corrupt',
  message: (store) => `The store ${store} is damaged or lacks a table or column: restore a backup of the database.`,
};

/** Another transaction has the lock, for longer than this one waits. */
const LOCK_NOT_AVAILABLE = '55P03';

/** By SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html). */
const BY_STATE: Readonly<Record<string, Meaning>> = {
  '28P01': REJECTED,
  '28000': REJECTED,
  '3D000': { code: 'store-unusable', message: (store) => `The database of the store ${store} does not exist: create it with createdb, owned by that user.` },
  '42501': {
    code: 'store-rights',
    message: (store) =>
      `The user of the store ${store} lacks rights: make it the owner of the database, or run GRANT CREATE, USAGE ON SCHEMA public TO that user.`,
  },
  '42P07': {
    code: 'store-foreign',
    message: (store) => `The database ${store} has tables of another program: give Lictor a separate database.`,
  },
  '25006': READ_ONLY,
  '42P01': DAMAGED,
  '42703': DAMAGED,
  XX001: DAMAGED,
  XX002: DAMAGED,
  '53100': { code: 'store-unwritable', message: (store) => `Nothing was changed: the disk of the store ${store} is full: free some space.` },
  '40001': BUSY,
  [LOCK_NOT_AVAILABLE]: BUSY,
  '40P01': BUSY,
};

/** Connection lost, server ends or starts, too many connections, statement or idle limits. */
const AWAY_STATES = /^(?:08...|57P0.|53300|57014|25P0.)$/;
const AWAY_TEXTS = /^(?:Connection terminated|Client has encountered a connection error|Query read timeout|timeout e|Cannot use a pool|The server does not)/;
/** From Postgres, and from `assertPrimary`. */
const STANDBYS: readonly string[] = ['cannot use serializable mode in a hot standby', STANDBY];
const NO_PASSWORD = /^SASL:/;

/** The error in words; an error that is none of Postgres stays as it is. */
export function inWords(store: string, error: unknown): unknown {
  if (error instanceof LictorError || !(error instanceof Error)) return error;
  const meaning = meaningOf(error);
  return meaning === undefined ? error : new LictorError(meaning.code, meaning.message(store), { cause: error });
}

function meaningOf(error: Error): Meaning | undefined {
  const state = stateOf(error);
  if (STANDBYS.includes(error.message)) return READ_ONLY;
  if (NO_PASSWORD.test(error.message)) return REJECTED;
  if (state !== undefined && BY_STATE[state] !== undefined) return BY_STATE[state];
  return isAway(error) ? UNREACHABLE : undefined;
}

/** The connection is of no further use: it is lost, hangs, or leads to a server that is no longer the primary. */
export function isBroken(error: unknown): boolean {
  return error instanceof Error && (isAway(error) || STANDBYS.includes(error.message) || stateOf(error) === '25006');
}

/** Postgres undid the transaction, because another one was in its way: it can be repeated. */
export function isRepeatable(error: unknown): boolean {
  const state = stateOf(error instanceof LictorError ? error.cause : error);
  return state === '40001' || state === '40P01' || state === LOCK_NOT_AVAILABLE;
}

function isAway(error: Error): boolean {
  return AWAY_STATES.test(stateOf(error) ?? '') || AWAY_TEXTS.test(error.message) || 'syscall' in error || error instanceof AggregateError || isTls(error);
}

/** Node's codes for certificates: SELF_SIGNED_CERT_IN_CHAIN, ERR_TLS_CERT_ALTNAME_INVALID. */
function isTls(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && /CERT|ERR_TLS|ERR_SSL|SIGNATURE/.test(error.code);
}

function stateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.length === 5 ? error.code : undefined;
}
