// Writes a backup while the gateway runs, reads it back, and only then gives it its name.
import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { STATE_VERSION } from '../../config/state-version.ts';
import type { Clock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import type { StoreAddress } from '../../contract/store-address.ts';
import { chainState } from '../../record/ledger/chain/chain-state.ts';
import { type LedgerDump, openLedgerDump } from '../../record/ledger/dump.ts';
import { openStoreDump, type StoreDump } from '../../store/dump.ts';
import { damaged } from './errors.ts';
import { type FileParts, fileLine, stateFiles } from './files.ts';
import { type BodyLine, type Header, newHeader, parseLines, renderLines } from './lines.ts';
import { type Lock, type Opener, readSealed, writeSealed } from './seal.ts';

export interface BackupParts extends FileParts {
  readonly storeAt: StoreAddress;
  /** There is no such file. */
  readonly output: string;
  readonly lock: Lock;
  readonly lictor: string;
  readonly clock: Clock;
  readonly progress: (words: string) => void;
}

export interface Written {
  readonly header: Header;
  readonly records: number;
  readonly bytes: number;
}

/** Throws `ledger-altered`, the errors of the store and the ledger, and those of the file system. Leaves no file then. */
export async function writeBackup(parts: BackupParts): Promise<Written> {
  const partial = `${parts.output}.${process.pid}.partial`;
  // A killed process may have left this file, or an attacker may have put a link here.
  rmSync(partial, { force: true });
  try {
    const { opener, ...written } = await writeTo(partial, parts);
    parts.progress('reading the backup back');
    await verify(partial, opener, written.header);
    renameSync(partial, parts.output);
    return { ...written, bytes: statSync(parts.output).size };
  } finally {
    rmSync(partial, { force: true });
  }
}

interface WrittenTo extends Pick<Written, 'header' | 'records'> {
  readonly opener: Opener;
}

async function writeTo(partial: string, parts: BackupParts): Promise<WrittenTo> {
  const files = stateFiles(parts);
  using ledger = openLedger(parts);
  using store = await openStoreDump(parts.storeAt);
  const header = newHeader({
    id: randomUUID(),
    state_version: STATE_VERSION,
    lictor: parts.lictor,
    made_at: new Date(parts.clock()).toISOString(),
    node: ledger?.node ?? hostname(),
  });
  const key = ledger === undefined ? [] : [fileLine('keys/ledger.pem', ledger.key)];
  const body = bodyOf([...files, ...key], { store, ledger, progress: parts.progress });
  const opener = await writeSealed(partial, renderLines(header, body), parts.lock);
  return { header, records: ledger?.records ?? 0, opener };
}

/** Undefined: the gateway has not run yet. A restore could not continue a ledger that something else changed. */
function openLedger({ paths }: BackupParts): LedgerDump | undefined {
  if (!existsSync(paths.ledgerFile)) return undefined;
  if (chainState(paths).state !== 'intact')
    throw new LictorError(
      'ledger-altered',
      'Something other than the gateway changed the ledger, and no restore could continue it: lictor audit verify says where. Copy the state directory as evidence.',
    );
  return openLedgerDump(paths);
}

interface Sources {
  readonly store: StoreDump;
  readonly ledger: LedgerDump | undefined;
  readonly progress: (words: string) => void;
}

async function* bodyOf(files: readonly BodyLine[], { store, ledger, progress }: Sources): AsyncGenerator<BodyLine> {
  yield* files;
  progress('store');
  for await (const rows of store.rows()) yield { of: 'store', ...rows };
  let done = 0;
  for (const rows of ledger?.rows() ?? []) {
    yield { of: 'ledger', ...rows };
    if (rows.table !== 'records') continue;
    done += rows.rows.length;
    progress(`ledger: ${done.toLocaleString('en')} of ${ledger?.records.toLocaleString('en') ?? ''} records`);
  }
}

/** Opens the file again and reads all of it: the digest at its end, which was computed while it was written, must fit. */
async function verify(file: string, opener: Opener, { id }: Header): Promise<void> {
  const { header, body } = await parseLines(readSealed(file, opener));
  for await (const _line of body);
  if (header.id !== id) throw damaged('what was read back is not what was written');
}
