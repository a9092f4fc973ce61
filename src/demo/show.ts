// What the demo prints for people to read and paste.
import type { Cast } from './people.ts';

/** The fixed lines of the contract: `alice  PASSWORD  admin`, and `token  lct_...`. */
export function castLines(cast: Cast): readonly string[] {
  return [...cast.people.map(({ name, password, role }) => `${name}  ${password}  ${role}`), `token  ${cast.sampleToken}`];
}

/** Stock-client lines to paste; the first carrier authenticates HTTP and every socket. */
export function clientLines(url: string, token: string): readonly string[] {
  return [
    'Use it with a stock Prefect client:',
    `  export PREFECT_API_URL=${url}/api`,
    `  export PREFECT_API_AUTH_STRING=any:${token}`,
    '  prefect deployment run sample/demo --watch',
    'or, instead of the auth string, by a header of its own:',
    `  export PREFECT_CLIENT_CUSTOM_HEADERS='{"X-Lictor-Token":"${token}"}'`,
  ];
}
