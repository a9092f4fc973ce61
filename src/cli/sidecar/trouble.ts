// Reports once to the person at the terminal that the gateway does not answer, and once that it answers again.

export type Trouble = ReturnType<typeof createTrouble>;

export function createTrouble(host: string, say: (line: string) => void) {
  let isAway = false;
  return {
    away(why: string): void {
      if (!isAway) say(`${host} cannot be reached (${why}); requests wait.`);
      isAway = true;
    },
    back(): void {
      if (isAway) say(`${host} is back.`);
      isAway = false;
    },
  };
}
