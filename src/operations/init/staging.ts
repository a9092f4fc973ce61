// The files of init: prepared beside their directory and renamed at the end, so that an interruption leaves nothing.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createTwoFilesPatch } from 'diff';

export interface NewFile {
  readonly name: string;
  readonly text: string;
  readonly isSecret: boolean;
}

export interface Staging {
  /** Holds the new files, also while they are checked. */
  readonly directory: string;
  /** Of the files that exist with other content. The content of a secret is left out. Empty: nothing is overwritten. */
  differences(): string;
  /** Moves the files to their place. Synchronous: no signal arrives in between. */
  commit(): void;
  /** Removes what was prepared. Idempotent. */
  discard(): void;
}

/** Throws the system's error if a directory cannot be made. */
export function stage(out: string, files: readonly NewFile[]): Staging {
  const parent = nearest(out);
  const directory = mkdtempSync(join(parent, `.${basename(out)}.init-`));
  for (const { name, text, isSecret } of files) writeFileSync(join(directory, name), text, { mode: isSecret ? 0o600 : 0o644, flag: 'wx' });
  const discard = (): void => rmSync(directory, { recursive: true, force: true });
  return {
    directory,
    differences: () => files.map((file) => difference(join(out, file.name), file)).join(''),
    commit() {
      mkdirSync(out, { recursive: true, mode: 0o755 });
      // lictor.yaml names the others, so it is last.
      for (const { name, isSecret } of files.toSorted((a, b) => Number(b.isSecret) - Number(a.isSecret))) {
        chmodSync(join(directory, name), isSecret ? 0o600 : 0o644);
        renameSync(join(directory, name), join(out, name));
      }
      discard();
    },
    discard,
  };
}

/** On the file system of `out`, so that a rename is enough. */
function nearest(out: string): string {
  const parent = existsSync(out) ? out : dirname(out);
  return existsSync(parent) ? parent : nearest(parent);
}

function difference(file: string, { name, text, isSecret }: NewFile): string {
  if (!existsSync(file)) return '';
  const former = readFileSync(file, 'utf8');
  if (former === text) return '';
  return isSecret ? `${file}: another secret (not shown)\n` : createTwoFilesPatch(file, `${name} (new)`, former, text).replace(/^=+\n/, '');
}
