// Concurrent promises.

/** Like Promise.all, but it rejects with the first failure only after all promises have settled. */
export async function settleAll<T>(work: Iterable<Promise<T>>): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
