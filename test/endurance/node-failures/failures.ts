// The rows of the matrix: how each failure begins and ends.
import { signalProcess } from '../../env/process.ts';
import type { Failure } from './row.ts';

export const FAILURES: readonly Failure[] = [
  {
    name: 'a node is killed, for 10 s',
    seconds: 10,
    begin: ({ cluster }) => cluster.node('two').killAll(),
    end: ({ cluster }) => cluster.node('two').up(),
  },
  {
    name: 'the nginx of a node is killed',
    seconds: 0,
    async begin({ cluster }) {
      const { nginx, workers } = cluster.node('two').pids();
      for (const pid of [nginx, ...workers]) signalProcess(pid, 'SIGKILL');
    },
  },
];
