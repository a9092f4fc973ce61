// Opens the policy engine, the store and Prefect as the gateway does, for commands that explain decisions. Closes them again.
import { existsSync } from 'node:fs';
import { absentWords } from '../authorization/explain/absent.ts';
import type { ExplainerParts } from '../authorization/explain/explainer.ts';
import { openExplainer } from '../authorization/explain/open.ts';
import type { ResolvedPrincipal } from '../authorization/explain/principal.ts';
import type { Config } from '../config/config.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import type { Located } from '../contract/decision.ts';
import { LictorError } from '../contract/error.ts';
import { shownAddress } from '../contract/store-address.ts';
import { createLookup } from '../prefect/client/lookup.ts';
import { createUpstream } from '../prefect/client/upstream.ts';
import { openLedgerReader } from '../record/ledger/query.ts';
import { type Names, NO_NAMES } from '../record/ledger/search/names.ts';
import { storeExists } from '../store/rows.ts';
import { openStore, type Store } from '../store/store.ts';
import type { CliContext, LoadedContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { policiesInForce } from './own-policies.ts';

export interface ExplainerBench {
  readonly parts: ExplainerParts;
  readonly config: Config;
  /** Accepts each form that a user may write. */
  readonly find: (principal: string) => Promise<ResolvedPrincipal>;
  /** Accepts only a principal of a record, because a person may have the name `group:x` at their provider. */
  readonly findRecorded: (principal: string) => Promise<ResolvedPrincipal>;
  /** Of every principal of the store. Prints a note on standard error if there is none. */
  readonly ids: () => Promise<readonly string[]>;
  /** The sentence that Prefect does not have the object, with similar names; undefined: it has it, or does not answer. */
  readonly absence: (object: Located | undefined) => Promise<string | undefined>;
  /** Prints on standard error which of these objects Prefect does not have, with similar names. */
  readonly askBack: (objects: readonly (Located | undefined)[]) => Promise<void>;
  readonly paths: StatePaths;
}

export async function withExplainer<T>(context: CliContext, work: (bench: ExplainerBench) => Promise<T>): Promise<T> {
  const loaded = await loadLeniently(context);
  const { config, paths } = loaded;
  const store = lazyStore(config);
  const upstream = createUpstream({ ...config.prefect, publicUrl: null, connectTimeoutMs: 2_000, answerTimeoutMs: 5_000 });
  try {
    const own = await policiesInForce(config, loaded.configFile);
    const revision = (await (await store.openIfAny())?.revisions.published()) ?? null;
    const lookup = createLookup(upstream);
    const { parts, people } = openExplainer({ config, own, revision, lookup, store: store.open, storeIfAny: store.openIfAny });
    const { find, findRecorded } = people;
    const ids = async () => {
      const known = await people.ids();
      if (known.length === 0) context.err.write(nobodyYet(config));
      return known;
    };
    const absence = async (object: Located | undefined) =>
      object === undefined ? undefined : await withNames(paths, (names) => absentWords(parts, object, names));
    const askBack = async (objects: readonly (Located | undefined)[]) => {
      for (const object of objects) {
        const words = await absence(object);
        if (words !== undefined) context.err.write(`${words}\n`);
      }
    };
    return await work({ parts, config, find, findRecorded, ids, absence, askBack, paths });
  } catch (error) {
    throw inWords(error);
  } finally {
    await upstream.close();
    await store.close();
  }
}

/** Without a ledger, no object has a name. */
async function withNames<T>({ ledgerFile }: StatePaths, work: (names: Names) => Promise<T>): Promise<T> {
  if (!existsSync(ledgerFile)) return work(NO_NAMES);
  const reader = openLedgerReader(ledgerFile);
  try {
    return await work(reader.events);
  } finally {
    reader.close();
  }
}

/** Only look-ups in Prefect need secrets. If they cannot be read, the answer reports that the look-up failed. */
async function loadLeniently(context: CliContext): Promise<LoadedContext> {
  return context.loadContext({ secrets: 'read' }).catch(() => context.loadContext({ secrets: 'skip' }));
}

interface LazyStore {
  readonly open: () => Promise<Store>;
  readonly openIfAny: () => Promise<Store | undefined>;
  readonly close: () => Promise<void>;
}

function lazyStore(config: Config): LazyStore {
  let opened: Promise<Store> | undefined;
  const openIfAny = async () => {
    if (storeExists(config.storeAt)) opened ??= openStore({ at: config.storeAt, clock: systemClock });
    return opened;
  };
  return {
    open: async () => {
      const store = await openIfAny();
      if (store === undefined) throw noStore(config);
      return store;
    },
    openIfAny,
    close: async () => {
      const store = await opened?.catch(() => undefined);
      await store?.close();
    },
  };
}

function noStore({ storeAt }: Config): CommandFailed {
  return new CommandFailed(
    `There is no store at ${shownAddress(storeAt)} yet, so nobody is known: add an account or a token, name the --state-dir, or ask for role:viewer or group:NAME@PROVIDER.`,
  );
}

function nobodyYet({ storeAt }: Config): string {
  const place = storeExists(storeAt) ? `The store ${shownAddress(storeAt)} has` : `There is no store at ${shownAddress(storeAt)}, so there is`;
  return `lictor: ${place} no account, no token and no person yet. The list has only the members that lictor.yaml names.\n`;
}

function inWords(error: unknown): unknown {
  if (!(error instanceof LictorError)) return error;
  if (error.code === 'usage') return error instanceof UsageError ? error : new UsageError(error.message);
  return error instanceof CommandFailed ? error : new CommandFailed(error.message, error);
}
