// Checks before the command starts: the gateway answers and accepts the credential. A mistake is reported here, in a sentence.
import { setTimeout as wait } from 'node:timers/promises';
import type { SteadyClock } from '../../contract/clock.ts';
import { type Answer, AskError, ask, isLasting, jsonObjectIn } from './ask.ts';
import type { CredentialRefresher } from './credential-refresher.ts';
import type { GatewayAddress } from './gateway-url.ts';
import type { Transport } from './transport.ts';

export interface GatewayCheck {
  readonly gateway: GatewayAddress;
  readonly refresher: Pick<CredentialRefresher, 'current'>;
  readonly transport: Transport;
  readonly say: (line: string) => void;
  readonly steady: SteadyClock;
  readonly patienceMs: number;
  /** Shorter in tests. */
  readonly pauseMs?: number;
}

const PAUSE_MS = 1000;
const ATTEMPT_MS = 10_000;

/** Undefined: no problem. Else the problem and its remedy. Waits for a gateway that restarts. */
export async function checkGateway({ gateway, refresher, transport, say, steady, patienceMs, pauseMs = PAUSE_MS }: GatewayCheck): Promise<string | undefined> {
  const url = new URL(`${gateway.origin}${gateway.basePath}/api/admin/version`);
  const until = steady() + patienceMs;
  let hasReported = false;
  for (;;) {
    const problem = await attempt(url, refresher, transport);
    if (problem === undefined || problem.lasting || steady() > until) return problem?.text;
    if (!hasReported) say(`${problem.text} Trying again.`);
    hasReported = true;
    await wait(pauseMs);
  }
}

interface CheckProblem {
  readonly text: string;
  readonly lasting: boolean;
}

async function attempt(url: URL, refresher: GatewayCheck['refresher'], transport: Transport): Promise<CheckProblem | undefined> {
  const secret = await refresher.current();
  if (secret === undefined) return { text: 'There is no credential just now.', lasting: false };
  try {
    return judge(url, await ask(transport, url, { headers: { authorization: `Bearer ${secret}` }, signal: AbortSignal.timeout(ATTEMPT_MS) }));
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    const advice = /CERT|SELF_SIGNED|UNABLE_TO/.test(error.why) ? ' For an authority of your own: PREFECT_API_SSL_CERT_FILE=ca.pem.' : '';
    return { text: `The gateway ${error.message}${advice}`, lasting: isLasting(error.why) };
  }
}

function judge(url: URL, { status, body }: Answer): CheckProblem | undefined {
  if (status === 200) return undefined;
  const words = wordsIn(body);
  if (status >= 500 || status === 429) return { text: ended(`The gateway answered ${status}${words === undefined ? '' : `: ${words}`}`), lasting: false };
  if (words === undefined) return { text: `${url.origin} answered ${status}, and not as a gateway does: is the address right?`, lasting: true };
  return { text: `The gateway refuses the credential (${status}): ${words}`, lasting: true };
}

/** A hint is a sentence with a full stop; a code is not. */
function ended(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

/** Detail, code and hint of the gateway's refusal. */
function wordsIn(body: Buffer): string | undefined {
  const { code, detail, hint = '' } = jsonObjectIn(body);
  return code === undefined || detail === undefined ? undefined : [detail, `(${code})`, hint].filter((part) => part !== '').join(' ');
}
