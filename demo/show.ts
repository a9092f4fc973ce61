// What the demo prints for people to read and paste.
import type { Cast } from './people.ts';

/** Lines that programs may read, so their form is fixed: `alice  PASSWORD  admin`, and `token  lct_...`. */
export function castLines(cast: Cast): readonly string[] {
  return [...cast.people.map(({ name, password, role }) => `${name}  ${password}  ${role}`), `token  ${cast.sampleToken}`];
}

/** What becomes of the demo when the sample has run. */
export type Afterwards = 'stays' | 'stops';

/** Where to look at the run; what is stopped in the next moment is not to be opened. */
export function pageLine(page: string, afterwards: Afterwards): string {
  return afterwards === 'stays'
    ? `Open ${page} and log in as alice.`
    : `The page of the run was ${page}: without --once the demo stays, and you open it there.`;
}

/** Stock-client lines to paste; the first carrier authenticates HTTP and every socket. */
export function clientLines(url: string, token: string): readonly string[] {
  return [
    'Use it with a stock Prefect client:',
    `  export PREFECT_API_URL=${url}/api`,
    `  export PREFECT_API_AUTH_STRING=any:${token}`,
    '  prefect deployment run sample/demo --watch',
    'or, instead of the auth string, by a separate header:',
    `  export PREFECT_CLIENT_CUSTOM_HEADERS='{"X-Lictor-Token":"${token}"}'`,
  ];
}
