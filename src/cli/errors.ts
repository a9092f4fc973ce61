// Errors that end a command with an exit status and a text, never with a stack trace.
import { LictorError } from '../contract/error.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** A valid command failed (exit 1). `message`: the problem and the remedy. Empty: it was printed already. */
export class CommandFailed extends LictorError {
  readonly exitStatus: ExitStatus = EXIT.failed;

  constructor(message: string, cause?: unknown) {
    super('command-failed', message, { cause });
    this.name = 'CommandFailed';
  }
}

/** The command line is invalid, or requests a planned feature (exit 2). */
export class UsageError extends LictorError {
  readonly exitStatus: ExitStatus = EXIT.usage;

  constructor(message: string) {
    super('usage', message);
    this.name = 'UsageError';
  }
}

/** For a parser of a lower part: its error is a mistake in the command line. */
export function asUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof LictorError ? new UsageError(error.message) : error;
  }
}

/** A program that the command ran has ended. Its status (0 to 255) becomes that of the command, without a text. */
export class ProgramEnded extends LictorError {
  readonly exitStatus: number;

  constructor(exitStatus: number) {
    super('program-ended', '');
    this.name = 'ProgramEnded';
    this.exitStatus = exitStatus;
  }
}
