// Unpacks a backup into a directory beside the state, raises the epoch, and verifies the ledger. place.ts puts it in place.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { STATE_VERSION } from '../../config/state-version.ts';
import type { Clock } from '../../contract/clock.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { Report } from '../../record/ledger/chain/report.ts';
import { continueRestored, loadLedger, verifyLoaded } from '../../record/ledger/dump.ts';
import { GATEWAY_ACTIONS } from '../../record/ledger/events.ts';
import { loadStore } from '../../store/dump.ts';
import type { Epoch, LaterStore } from '../../store/restores.ts';
import type { TableRows } from '../../store/sqlite-rows.ts';
import { damaged } from './errors.ts';
import { type BodyLine, type Header, parseLines, type RowsLine } from './lines.ts';
import { type Opener, readSealed } from './seal.ts';

export interface RestoreParts {
  readonly file: string;
  readonly opener: Opener;
  /** A directory that does not exist. The restored state is there afterwards. */
  readonly into: string;
  readonly later: LaterStore;
  /** Who restores: the beginning of the records. */
  readonly by: NewRecord;
  readonly clock: Clock;
  readonly progress: (words: string) => void;
}

export interface Restored {
  readonly header: Header;
  readonly epoch: Epoch;
  /** Null: the backup has no ledger. */
  readonly ledger: Report | null;
}

/** Reads the whole backup, so that it throws for one that is damaged. Writes nothing. */
export async function checkBackup(file: string, opener: Opener): Promise<Header> {
  const { header, body } = await parseLines(readSealed(file, opener));
  for await (const _line of body);
  return header;
}

/** Throws the errors of a backup and of the disk, and `ledger-altered`. Leaves no directory then. */
export async function restoreInto(parts: RestoreParts): Promise<Restored> {
  try {
    mkdirSync(parts.into, { mode: 0o700 });
    const read = await unpack(parts);
    const paths = placesIn(parts.into);
    const ledger = existsSync(paths.ledgerFile) ? finishLedger(paths, read, parts) : null;
    return { ...read, ledger };
  } catch (error) {
    rmSync(parts.into, { recursive: true, force: true });
    throw error;
  }
}

/** The names of a state directory, as they are in the directory of the restore. */
export function placesIn(directory: string) {
  return { storeFile: join(directory, 'lictor.db'), ledgerFile: join(directory, 'ledger.db'), ledgerKey: join(directory, 'keys', 'ledger.pem') };
}

type Places = ReturnType<typeof placesIn>;

async function unpack({ file, opener, into, later, clock, progress }: RestoreParts): Promise<Omit<Restored, 'ledger'>> {
  const { header, body } = await parseLines(readSealed(file, opener));
  const lines = createLines(body);
  const { storeFile, ledgerFile, ledgerKey } = placesIn(into);
  await lines.files(into);
  progress('store');
  const restored = { backupId: header.id, madeMs: Date.parse(header.made_at), restoredMs: clock(), later };
  const epoch = await fitting(() => loadStore({ file: storeFile, restored }, lines.of('store')));
  if (await lines.has('ledger')) {
    progress('ledger');
    await fitting(() => loadLedger({ ledgerFile, ledgerKey }, lines.of('ledger')));
  }
  await lines.end();
  writeFileSync(join(into, 'version'), `${STATE_VERSION}\n`, { mode: 0o600, flush: true });
  return { header, epoch };
}

/** SQLite rejects rows that a backup of this version cannot have. */
async function fitting<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const isOfRows =
      cause instanceof TypeError || (cause instanceof Error && 'errcode' in cause && (cause.errcode === 1 || Number(cause.errcode) % 256 === 19));
    throw isOfRows ? damaged('its rows do not fit the tables of this version', cause) : cause;
  }
}

/** Takes the lines in their order: files, then the store, then the ledger. */
function createLines(body: AsyncGenerator<BodyLine>) {
  let next: Promise<IteratorResult<BodyLine, unknown>> | undefined;
  const peek = async (): Promise<BodyLine | undefined> => {
    next ??= body.next();
    const { value, done } = await next;
    return done === true ? undefined : value;
  };
  const isOf = (line: BodyLine | undefined, what: RowsLine['of']): line is RowsLine => line !== undefined && 'of' in line && line.of === what;
  return {
    async files(into: string): Promise<void> {
      for (let line = await peek(); line !== undefined && 'file' in line; line = await peek()) {
        next = undefined;
        const file = join(into, line.file);
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        writeFileSync(file, Buffer.from(line.content, 'base64'), { mode: 0o600, flag: 'wx', flush: true });
      }
    },
    has: async (what: RowsLine['of']) => isOf(await peek(), what),
    async *of(what: RowsLine['of']): AsyncGenerator<TableRows> {
      for (let line = await peek(); isOf(line, what); line = await peek()) {
        next = undefined;
        yield line;
      }
    },
    async end(): Promise<void> {
      if ((await peek()) !== undefined) throw damaged('its lines have another order');
    },
  };
}

/** Records the restore, so that the epoch and what ended are in the ledger that continues. */
function finishLedger(paths: Places, { header, epoch }: Omit<Restored, 'ledger'>, { by, clock, progress }: RestoreParts): Report {
  const nowMs = clock();
  const common = { ...by, time: new Date(nowMs).toISOString(), decision: 'allow', mode: 'enforce' } as const;
  const { ended, waiting } = epoch;
  const restored: NewRecord = {
    ...common,
    action: GATEWAY_ACTIONS.restored,
    resource_type: 'Backup',
    resource_id: header.id,
    tool: `epoch ${epoch.epoch}, backup of ${header.made_at}`,
    duration_ms: Math.max(0, nowMs - Date.parse(header.made_at)),
  };
  const credentials: NewRecord = {
    ...common,
    action: GATEWAY_ACTIONS.credentialsEnded,
    resource_type: 'Epoch',
    resource_id: String(epoch.epoch),
    tool: `${endedText(ended)}; ${waiting.tokens.length} tokens and ${waiting.accounts.length} accounts wait`,
  };
  continueRestored(paths, [restored, credentials], clock);
  return verifyLoaded(paths, (count) => progress(`verifying the ledger: ${count.toLocaleString('en')} records`));
}

function endedText({ sessions, logins, accessTokens, runTokens, approvals }: Epoch['ended']): string {
  return `${sessions} sessions, ${logins} logins, ${accessTokens} exchanged tokens, ${runTokens} tokens of runs, ${approvals} approvals`;
}
