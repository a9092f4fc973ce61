// What a piece of work costs this process, however busy the machine is with others: their turns are not counted.

/** Milliseconds of CPU that this process took for `work`, in all its threads. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
