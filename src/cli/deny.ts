// `lictor deny`: denies a waiting request.
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { registerDecision } from './decide-approval.ts';

export function register(program: Command, context: CliContext): void {
  registerDecision(program, context, 'deny');
}
