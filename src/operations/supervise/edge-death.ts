// nginx's master reports the death of a worker in its error log. The supervisor reports the death of the master there, for the ledger.
import { appendFileSync } from 'node:fs';
import { constants } from 'node:os';

/** `how`: a signal, or unknown. Without space or rights the ledger has other problems: nginx must start again. */
export function reportEdgeDeath(errorLog: string, pid: number, how: string): void {
  const signal = new Map<string, number>(Object.entries(constants.signals)).get(how) ?? constants.signals.SIGKILL;
  try {
    appendFileSync(errorLog, `${localTime(new Date())} [alert] ${process.pid}#0: master process ${pid} exited on signal ${signal}\n`);
  } catch {
    // See above.
  }
}

/** As nginx writes it. */
function localTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(two).join('/');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}
