// The key id, the head and the checkpoints in the ledger's database. All inside a transaction.
import type { DatabaseSync } from 'node:sqlite';
import { LictorError } from '../../../contract/error.ts';
import { sha256 } from './hash.ts';
import { type Checkpoint, type Head, parseStatement, type Signed } from './statement.ts';

export interface StoredCheckpoint {
  readonly statement: Checkpoint;
  readonly number: number;
  readonly digest: string;
}

export interface StoredHead {
  readonly signed: Signed;
  readonly statement: Head;
}

export function createStored(db: DatabaseSync) {
  const meta = db.prepare("SELECT value FROM meta WHERE key = 'ledger_key'");
  const setMeta = db.prepare("INSERT INTO meta (key, value) VALUES ('ledger_key', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  const head = db.prepare('SELECT text, signature FROM head');
  const setHead = db.prepare(
    'INSERT INTO head (one, text, signature) VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET text = excluded.text, signature = excluded.signature',
  );
  const lastCheckpoint = db.prepare('SELECT number, text FROM checkpoints ORDER BY number DESC LIMIT 1');
  const addCheckpoint = db.prepare('INSERT INTO checkpoints (number, text, signature) VALUES (?, ?, ?)');
  /** The last parsed statements: parsing costs more than the rest of a small transaction. */
  let parsedHead: { readonly text: string; readonly statement: Head } | undefined;
  let parsed: { readonly text: string; readonly statement: Checkpoint } | undefined;

  function checkpointOf(text: string): Checkpoint {
    if (parsed?.text === text) return parsed.statement;
    const statement = parseStatement(text);
    if (statement?.kind !== 'checkpoint') throw altered('its last checkpoint cannot be read');
    parsed = { text, statement };
    return statement;
  }

  function headOf(text: string): Head {
    if (parsedHead?.text === text) return parsedHead.statement;
    const statement = parseStatement(text);
    if (statement?.kind !== 'head') throw altered('its head cannot be read');
    parsedHead = { text, statement };
    return statement;
  }

  return {
    keyId(): string | undefined {
      const value = meta.get()?.value;
      return typeof value === 'string' ? value : undefined;
    },
    head(): StoredHead | undefined {
      const row = head.get();
      if (row === undefined) return undefined;
      const signed = { text: String(row.text), signature: String(row.signature) };
      return { signed, statement: headOf(signed.text) };
    },
    lastCheckpoint(): StoredCheckpoint | undefined {
      const row = lastCheckpoint.get();
      if (row === undefined) return undefined;
      const text = String(row.text);
      return { statement: checkpointOf(text), number: Number(row.number), digest: sha256(text) };
    },
    addCheckpoint(statement: Checkpoint, { text, signature }: Signed): StoredCheckpoint {
      const number = statement.checkpoints + 1;
      addCheckpoint.run(number, text, signature);
      parsed = { text, statement };
      return { statement, number, digest: sha256(text) };
    },
    setHead(statement: Head, { text, signature }: Signed): void {
      setHead.run(text, signature);
      // Writing an unchanged row would cost a disk write.
      if (meta.get()?.value !== statement.key) setMeta.run(statement.key);
      parsedHead = { text, statement };
    },
  };
}

/** Lictor does not continue a ledger that something else changed. */
export function altered(detail: string): LictorError {
  return new LictorError(
    'ledger-altered',
    'Something other than the gateway changed the ledger: lictor audit verify says where. Store it as evidence, and move it away to start a new one.',
    { detail },
  );
}
