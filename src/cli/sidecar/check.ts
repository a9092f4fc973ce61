// Before the command is started: the gateway answers, and takes the credential. A mistake is told here, in words.
import { setTimeout as wait } from 'node:timers/promises';
import type { SteadyClock } from '../../contract/clock.ts';
import { type Answer, AskError, ask, isLasting } from './ask.ts';
import type { GatewayAddress } from './gateway-url.ts';
import type { Keeper } from './keeper.ts';
import type { Transport } from './transport.ts';

export interface GatewayCheck {
  readonly gateway: GatewayAddress;
  readonly keeper: Pick<Keeper, 'current'>;
  readonly transport: Transport;
  readonly say: (line: string) => void;
  readonly steady: SteadyClock;
  readonly patienceMs: number;
  /** Tests alone have another. */
  readonly pauseMs?: number;
}

const PAUSE_MS = 1000;
const ATTEMPT_MS = 10_000;

/** Undefined: it is well. Else what is wrong and what to do. A gateway that restarts is waited for. */
export async function checkGateway({ gateway, keeper, transport, say, steady, patienceMs, pauseMs = PAUSE_MS }: GatewayCheck): Promise<string | undefined> {
  const url = new URL(`${gateway.origin}${gateway.basePath}/api/admin/version`);
  const until = steady() + patienceMs;
  let hasReported = false;
  for (;;) {
    const problem = await attempt(url, keeper, transport);
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

async function attempt(url: URL, keeper: GatewayCheck['keeper'], transport: Transport): Promise<CheckProblem | undefined> {
  const secret = await keeper.current();
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

/** A hint is a sentence of its own, and a code is none. */
function ended(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

/** Detail, code and hint of the gateway's own refusal. */
function wordsIn(body: Buffer): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('code' in parsed) || !('detail' in parsed)) return undefined;
    return [parsed.detail, `(${parsed.code})`, 'hint' in parsed ? parsed.hint : ''].filter((part) => part !== '').join(' ');
  } catch {
    return undefined;
  }
}
