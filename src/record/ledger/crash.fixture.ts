// For tests: the worker thread, which dies when it must append the action `crash`.
import { parentPort } from 'node:worker_threads';
import type { ToWorker } from './protocol.ts';
import './worker.ts';

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'command' && message.command.kind === 'append' && message.command.record.action === 'crash') process.exit(1);
});
