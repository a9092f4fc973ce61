/** Resolves after this time, or when the signal aborts. A page in the background waits until it is seen again. */
export async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  await resolved((resolve) => setTimeout(resolve, ms), signal);
  if (document.hidden) await resolved((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }), signal);
}

function resolved(by: (resolve: () => void) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    else by(() => resolve());
  });
}
