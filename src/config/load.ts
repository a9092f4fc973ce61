// Reads lictor.yaml: text -> Config, or every problem at once.
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

export type { Problem } from './problem.ts';

export interface LoadOptions {
  /** Relative store paths are below it. */
  readonly stateDir: string;
  /** `skip` for commands that need no secret of the gateway's, so that they work in a shell that has none. */
  readonly secrets?: 'read' | 'skip';
}

export type LoadResult = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly Problem[] };

export type Environment = Readonly<Record<string, string | undefined>>;

/** Never throws for what is in the file, nor for a missing file: that is a problem too. */
export function loadConfig(file: string, _env: Environment, _options: LoadOptions): LoadResult {
  return { ok: false, problems: [{ path: '', message: `${file}: loading is not written yet`, remedy: 'Wait for the next commit.' }] };
}
