// How late this machine is: what a test may add to a bound, since it is not the gateway's doing.

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
