// Ctrl-C for commands that must stop processes before they end.

export interface Interruption {
  readonly signal: Promise<'interrupted'>;
  forget(): void;
}

/** Resolves at SIGINT or SIGTERM. Until `forget`, neither ends this process directly. */
export function interruption(): Interruption {
  let onSignal = (): void => {};
  const signal = new Promise<'interrupted'>((resolve) => {
    onSignal = () => resolve('interrupted');
  });
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return { signal, forget: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) };
}
