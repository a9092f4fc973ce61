// What `lictor restore` says it did, and what an administrator does next.
import type { Restored } from '../operations/backup/restore.ts';
import { quantity } from './text.ts';

export interface Done extends Restored {
  readonly root: string;
  /** Where the former state is; null: there was none. */
  readonly aside: string | null;
}

export function restoredJson({ header, epoch: { epoch, ended, waiting }, ledger, aside }: Done) {
  return {
    id: header.id,
    made_at: header.made_at,
    epoch,
    ended: {
      sessions: ended.sessions,
      logins: ended.logins,
      access_tokens: ended.accessTokens,
      run_tokens: ended.runTokens,
      approvals: ended.approvals,
    },
    waiting,
    former_state: aside,
    ledger_problems: ledger?.problems.map(({ message }) => message) ?? [],
  };
}

export function restoredText({ header, epoch: { epoch, ended, waiting }, ledger, root, aside }: Done, commandLine: (words: string) => string): string {
  const lines = [
    `${root} has the state of ${header.made_at}. Its epoch is ${epoch}.`,
    ...(aside === null ? [] : [`The former state is in ${aside}.`]),
    `Ended: ${quantity(ended.sessions, 'session')}, ${quantity(ended.logins, 'login')}, ${quantity(ended.accessTokens, 'exchanged token')}, ${quantity(ended.runTokens, 'token')} of runs, ${quantity(ended.approvals, 'approval')}.`,
    ...(ledger?.problems ?? []).map(({ message }) => `FAIL  ${message}`),
    ...waitingLines(waiting, commandLine),
    'Locks, policies and settings that were changed after the backup are not in it. Set them again before you start the gateway.',
  ];
  return `${lines.join('\n')}\n`;
}

function waitingLines({ tokens, accounts }: Done['epoch']['waiting'], commandLine: (words: string) => string): readonly string[] {
  if (tokens.length + accounts.length === 0) return [];
  return [
    'These wait, because they may have been revoked or replaced after the backup. The gateway answers them 503:',
    ...(tokens.length === 0 ? [] : [`  tokens: ${tokens.join(' ')}`, `    ${commandLine('token confirm NAME...')}  or token rotate NAME`]),
    ...(accounts.length === 0 ? [] : [`  accounts: ${accounts.join(' ')}`, `    ${commandLine('account confirm NAME...')}  or account passwd NAME`]),
  ];
}
