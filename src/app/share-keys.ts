// Several nodes with one store: they sign and derive with the same keys. Only the sealing key is copied by hand.
import { existsSync, readFileSync } from 'node:fs';
import { openSealer, type Sealer } from '../config/keys/sealer.ts';
import { type StoredText, textFile } from '../config/keys/stored-text.ts';
import { makeOnce } from '../config/make-once.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { isErrno } from '../contract/errno.ts';
import { LictorError } from '../contract/error.ts';
import type { StoreAddress } from '../contract/store-address.ts';
import { SEAL_CHECK, type SharedKeys } from '../store/shared-keys.ts';

export interface Keys {
  readonly sealer: Sealer;
  /** The pairs that sign. */
  readonly signingText: StoredText;
  /** The nodes get one text in this file. `make` creates the file if no node has one. Throws `node-keys-differ` if this node has another text. */
  shareFile(name: string, file: string, make: () => unknown): Promise<void>;
}

/** The keys of the state directory; with Postgres those of all nodes. Throws `node-keys-differ` with the remedy. */
export async function openKeys(
  storeAt: StoreAddress,
  shared: SharedKeys,
  { sealKey, signingKeys }: Pick<StatePaths, 'sealKey' | 'signingKeys'>,
): Promise<Keys> {
  if (typeof storeAt === 'string') return { sealer: openSealer(sealKey), signingText: textFile(signingKeys), shareFile: async () => undefined };
  const sealer = await openSharedSealer(sealKey, shared);
  const signingText = sharedText('signing.json', shared, sealer);
  return { sealer, signingText, shareFile: (name, file, make) => shareFile(name, file, { shared, sealer, make }) };
}

/** Throws as `openKeys`. Only the first node of a store creates a key: a second one would seal what no other node opens. */
async function openSharedSealer(sealKey: string, shared: SharedKeys): Promise<Sealer> {
  const known = await shared.get(SEAL_CHECK);
  assertSealShared(sealKey, known);
  const sealer = openSealer(sealKey);
  if (known === undefined) assertSealShared(sealKey, await shared.change(SEAL_CHECK, async (before) => before ?? sealer.seal(SEAL_CHECK, SEAL_CHECK)));
  return sealer;
}

/**
 * The keys of this state directory must be those of the other nodes. `rows`: what the store has of them; none: this is the first node. Creates no key; a
 * file that is missing comes from the store at the start. Throws `node-keys-differ` with the remedy.
 */
export function assertKeysShared(paths: Pick<StatePaths, 'sealKey' | 'runTokenKey' | 'ledgerKey' | 'samlSigner'>, rows: ReadonlyMap<string, string>): void {
  assertSealShared(paths.sealKey, rows.get(SEAL_CHECK));
  const files = { 'run-token.key': paths.runTokenKey, 'ledger.pem': paths.ledgerKey, 'saml.pem': paths.samlSigner };
  for (const [name, file] of Object.entries(files)) {
    const sealed = rows.get(name);
    if (sealed !== undefined && existsSync(file)) assertSameText(file, openedText(name, sealed, openSealer(paths.sealKey)));
  }
}

function assertSealShared(sealKey: string, sealed: string | undefined): void {
  if (sealed === undefined) return;
  if (!existsSync(sealKey)) throw differ(`${sealKey} is missing: copy it from another node of this store, with mode 0600.`);
  if (openSealer(sealKey).open(sealed, SEAL_CHECK) === SEAL_CHECK) return;
  throw differ(`${sealKey} is not the key of the other nodes of this store: copy theirs, or give this node its own store.`);
}

async function shareFile(
  name: string,
  file: string,
  parts: { readonly shared: SharedKeys; readonly sealer: Sealer; readonly make: () => unknown },
): Promise<void> {
  const { shared, sealer, make } = parts;
  const mine = readIfThere(file);
  const sealed =
    (await shared.get(name)) ??
    (await shared.change(name, async (before) => {
      if (before !== undefined) return before;
      await make();
      return sealer.seal(readFileSync(file, 'utf8'), aboutFile(name));
    }));
  const text = openedText(name, sealed, sealer);
  if (mine === undefined) makeOnce(file, text);
  assertSameText(file, text);
}

function openedText(name: string, sealed: string, sealer: Sealer): string {
  const text = sealer.open(sealed, aboutFile(name));
  if (text === undefined) throw differ(`The store has a ${name} that the sealing key of this node does not open: restore keys/ from one backup.`);
  return text;
}

function assertSameText(file: string, text: string): void {
  if (readFileSync(file, 'utf8') === text) return;
  throw differ(`${file} differs from the one of the other nodes: move it away and start again; this node then gets theirs.`);
}

/** A text that nodes change while they run, sealed in the store. */
function sharedText(name: string, shared: SharedKeys, sealer: Sealer): StoredText {
  const where = `the row ${name} of shared_keys`;
  const open = (sealed: string): string => {
    const text = sealer.open(sealed, aboutFile(name));
    if (text === undefined) throw differ(`The sealing key of this node does not open ${where}: restore keys/ from one backup.`);
    return text;
  };
  return {
    where,
    async read() {
      const sealed = await shared.get(name);
      return sealed === undefined ? undefined : open(sealed);
    },
    change: async (work) =>
      open(await shared.change(name, async (sealed) => sealer.seal(await work(sealed === undefined ? undefined : open(sealed)), aboutFile(name)))),
  };
}

function aboutFile(name: string): string {
  return `shared key ${name}`;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function differ(message: string): LictorError {
  return new LictorError('node-keys-differ', message);
}
