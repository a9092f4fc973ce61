// `lictor approve`: lets a waiting request pass once.
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { registerDecision } from './decide-approval.ts';

export function register(program: Command, context: CliContext): void {
  registerDecision(program, context, 'approve');
}
