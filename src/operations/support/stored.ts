// Sizes of the files of the state directory, and numbers of rows in its databases. No row itself.
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Stored {
  /** Bytes, by the path below the state directory. */
  readonly files: Readonly<Record<string, number>>;
  readonly rows: Readonly<Record<string, Readonly<Record<string, number>> | string>>;
}

export function storedIn(root: string, databases: readonly string[]): Stored {
  return { files: Object.fromEntries(filesBelow(root, '')), rows: Object.fromEntries(databases.map((file) => [file.slice(root.length + 1), rowsOf(file)])) };
}

function filesBelow(root: string, below: string): readonly (readonly [string, number])[] {
  const directory = join(root, below);
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return filesBelow(root, path);
    return entry.isFile() ? [[path, lstatSync(join(root, path), { throwIfNoEntry: false })?.size ?? 0] as const] : [];
  });
}

function rowsOf(file: string): Readonly<Record<string, number>> | string {
  if (!existsSync(file)) return 'not there';
  try {
    using database = new DatabaseSync(file, { readOnly: true, timeout: 3_000 });
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").all();
    const count = (name: string): number => Number(database.prepare(`SELECT count(*) AS n FROM "${name.replaceAll('"', '""')}"`).get()?.['n']);
    return Object.fromEntries(tables.map(({ name }) => [String(name), count(String(name))]));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
