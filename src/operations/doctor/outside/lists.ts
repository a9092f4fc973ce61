// Lists of Prefect's objects. All servers share one database, so the first that answers is enough.
import { parseJson } from './http-probe.ts';
import { authorizationOf, type UpstreamSubject } from './upstream.ts';

export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Of a run; empty: none. */
  readonly deploymentId: string;
}

/** Undefined: no server answers as Prefect does. */
export async function listOf([subject, ...others]: readonly UpstreamSubject[], path: string, body: unknown): Promise<readonly Listed[] | undefined> {
  if (subject === undefined) return undefined;
  const list = await itemsOf(subject, path, body);
  return list === undefined ? listOf(others, path, body) : list.flatMap(listedOf);
}

/** Undefined: this server does not answer as Prefect does. */
export async function itemsOf({ url, authorization, tls, probe }: UpstreamSubject, path: string, body: unknown): Promise<readonly unknown[] | undefined> {
  const headers = { ...authorizationOf(authorization), 'content-type': 'application/json' };
  const answer = await probe({ url: `${url}${path}`, method: 'POST', headers, body: JSON.stringify(body), tls });
  const list: unknown = answer.ok && answer.status === 200 ? parseJson(answer.body) : undefined;
  return Array.isArray(list) ? list : undefined;
}

function listedOf(item: unknown): readonly Listed[] {
  if (typeof item !== 'object' || item === null) return [];
  const { id, name, tags, labels, deployment_id: deploymentId }: Readonly<Record<string, unknown>> = { ...item };
  if (typeof id !== 'string' || typeof name !== 'string' || !Array.isArray(tags)) return [];
  const texts = Object.entries(labels ?? {}).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : []));
  const of = { id, name, tags: tags.filter((tag) => typeof tag === 'string'), labels: Object.fromEntries(texts) };
  return [{ ...of, deploymentId: typeof deploymentId === 'string' ? deploymentId : '' }];
}
