// The place of the gateway as init finds it: the address in public_url, its certificate, and the port that it will listen on.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { assertListenable } from '../../edge/nginx/listenable.ts';
import { fail, ok, type Verdict, warn } from '../doctor/finding.ts';
import { checkExpiry, checkName } from '../doctor/outside/certificates.ts';
import { baseOf } from '../doctor/outside/door.ts';
import { jsonField, type ProbeAnswer, parseJson, probe, serverWords } from '../doctor/outside/http-probe.ts';
import { portHolder } from './port-holder.ts';
import type { Seen } from './seen.ts';

/** `isRunning`: this gateway runs already, so the port is its own. */
export async function examinePlace(config: Config, isRunning: boolean): Promise<Seen> {
  const { publicUrl, prefect } = config;
  if (prefect.servers.includes(publicUrl.origin))
    return {
      now: [fail(`public_url ${publicUrl.origin} is Prefect's own address`, 'Give the gateway another host name or port. Clients move to it one by one.')],
      later: [],
    };
  const [port, front] = await Promise.all([isRunning ? ok('this gateway runs already') : checkPort(config), checkFront(config, isRunning)]);
  return { now: [port, ...front.now, ...certificate(config)], later: front.later };
}

async function checkPort({ listen }: Config): Promise<Verdict> {
  try {
    await assertListenable(listen, 0);
    return ok(`${listen.map(({ host, port }) => `${host}:${port}`).join(' and ')} is free for the gateway`);
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    const port = listen[0]?.port ?? 0;
    const answers = await Promise.all(['http', 'https'].map((scheme) => probe({ url: `${scheme}://127.0.0.1:${port}/` })));
    const who = answers.find((answer) => answer.ok && serverWords(answer) !== '');
    const web = who?.ok === true ? serverWords(who).replace('(by', '(answers as') : '';
    return fail(
      `${error.message.replace(/:? end what.*$/, '')}${portHolder(port)}${web}`,
      'End what listens there, or write another port: listen: 0.0.0.0:8443.',
    );
  }
}

/** What answers at public_url before the gateway does. */
async function checkFront({ publicUrl }: Config, isRunning: boolean): Promise<Seen> {
  const url = `${baseOf(publicUrl)}/api/admin/version`;
  const answer = await probe({ url });
  if (isRunning) return { now: [], later: [] };
  if (answer.ok) return { now: [inFront(url, answer)].flat(), later: [] };
  if (!/ENOTFOUND|EAI_AGAIN/.test(answer.error)) return { now: [], later: [] };
  return { now: [], later: [warn(`this machine cannot resolve ${publicUrl.hostname}`, 'Add the name to DNS before clients use it.')] };
}

function inFront(url: string, answer: ProbeAnswer): Verdict | readonly Verdict[] {
  if (answer.status === 200 && typeof parseJson(answer.body) === 'string')
    return fail(`${url} is Prefect itself`, 'Give the gateway another host name or port. Clients move to it one by one.');
  if (answer.status === 401 && jsonField(answer.body, 'exception_message') !== undefined)
    return fail(`${url} is Prefect itself`, 'Give the gateway another host name or port. Clients move to it one by one.');
  if (answer.status === 502 || answer.status === 503) return [];
  const to = answer.headers['location'];
  return warn(
    `${url} answers already: ${answer.status}${to === undefined ? '' : `, redirects to ${to}`}${serverWords(answer)}`,
    'Another server has this address. Point it at the gateway, or run the gateway behind that server: docs/how-to/behind-a-proxy.md.',
  );
}

function certificate({ tls, publicUrl }: Config): readonly Verdict[] {
  if (tls === null || tls.selfMadeBy !== null) return [];
  const served = new X509Certificate(readFileSync(tls.certFile));
  return [checkExpiry(served, systemClock()), checkName(served, publicUrl.hostname)];
}
