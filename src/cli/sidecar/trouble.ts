// Tells the person at the terminal once that the gateway is away, and once that it is back.

export interface Trouble {
  away(why: string): void;
  back(): void;
}

export function createTrouble(host: string, say: (line: string) => void): Trouble {
  let isAway = false;
  return {
    away(why) {
      if (!isAway) say(`${host} cannot be reached (${why}); requests wait.`);
      isAway = true;
    },
    back() {
      if (isAway) say(`${host} is back.`);
      isAway = false;
    },
  };
}
