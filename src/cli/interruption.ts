// Ctrl-C for commands that have something to stop first.

export interface Interruption {
  readonly signal: Promise<'interrupted'>;
  forget(): void;
}

/** SIGINT or SIGTERM, from now on until `forget`: meanwhile neither ends this process by itself. */
export function interruption(): Interruption {
  let onSignal = (): void => {};
  const signal = new Promise<'interrupted'>((resolve) => {
    onSignal = () => resolve('interrupted');
  });
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return { signal, forget: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) };
}
