// The requests of a test to the host of commands, and its answers.

export interface Call {
  /** Without the interpreter and the script. */
  readonly args: readonly string[];
  /** The whole environment of the command. */
  readonly env: NodeJS.ProcessEnv;
}

export interface TimedCall extends Call {
  readonly timeoutMs: number;
}

/** From the host, when a command has ended. */
export interface Told {
  readonly status: number;
}
