// How late this machine is: what a test may add to a bound, since it is not the gateway's doing.
import { readFileSync } from 'node:fs';

/** Answers, when it is asked, the worst that a timer of this process was late by until then, in ms. */
export function watchLateness(): () => number {
  let worst = 0;
  let due = performance.now() + 20;
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - due);
    due = performance.now() + 20;
  }, 20);
  return () => {
    clearInterval(timer);
    return worst;
  };
}

/** Answers, when it is asked, how long another process was ready to run and had no processor until then, in ms; 0 where the kernel does not count it. */
export function watchWaiting(pid: number): () => number {
  const before = waitedMs(pid);
  return () => waitedMs(pid) - before;
}

/** The second number is the time on a run queue, in ns (Documentation/scheduler/sched-stats.rst). */
function waitedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1] ?? 0) / 1e6;
  } catch {
    return 0;
  }
}
