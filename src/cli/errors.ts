// Mistakes and failures that end a command: an exit status and words, never a stack trace.
import { LictorError } from '../contract/error.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** The command was understood and did not succeed (exit 1). `message` says what happened and what to do; empty when it has been said. */
export class CommandFailed extends LictorError {
  readonly exitStatus: ExitStatus = EXIT.failed;

  constructor(message: string, cause?: unknown) {
    super('command-failed', message, { cause });
    this.name = 'CommandFailed';
  }
}

/** The command line itself is wrong, or asks for what is not built yet (exit 2). */
export class UsageError extends LictorError {
  readonly exitStatus: ExitStatus = EXIT.usage;

  constructor(message: string) {
    super('usage', message);
    this.name = 'UsageError';
  }
}

/** A program that was run for the caller has ended: its status is ours (0 to 255). Nothing is said. */
export class ProgramEnded extends LictorError {
  readonly exitStatus: number;

  constructor(exitStatus: number) {
    super('program-ended', '');
    this.name = 'ProgramEnded';
    this.exitStatus = exitStatus;
  }
}
