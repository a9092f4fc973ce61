// The scripts of docs/how-to/ci.md as a runner of GitHub or GitLab runs them: the platform gives the token, and the client is a stand-in that shows its answer.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { docsBlock } from './docs.ts';
import type { Issuer } from './issuer.ts';
import { listenOnLoopback } from './listen.ts';
import { type Finished, run } from './process.ts';

const PAGE = 'how-to/ci.md';
const REQUEST_TOKEN = 'of-this-job';

export interface CiPlatform {
  readonly issuer: Issuer;
  readonly gatewayUrl: string;
}

/** The providers and roles of the page, with issuers of this machine. */
export function ciConfig(issuers: { readonly github: string; readonly gitlab: string }): { readonly identity_providers: object[]; readonly roles: object[] } {
  const [github, gitlab] = ['github', 'gitlab'].map((id) => parse(docsBlock(PAGE, `identity_providers:\n  - id: ${id}`)));
  return {
    identity_providers: [
      { ...github.identity_providers[0], issuer: issuers.github },
      { ...gitlab.identity_providers[0], issuer: issuers.gitlab },
    ],
    roles: [...github.roles, ...gitlab.roles],
  };
}

/** The last step of the workflow, in a job with these claims. */
export async function githubJob({ issuer, gatewayUrl }: CiPlatform, claims: object): Promise<Finished> {
  const server = createServer((request, response) => {
    const audience = new URL(request.url ?? '', 'http://localhost').searchParams.get('audience');
    if (request.headers.authorization !== `Bearer ${REQUEST_TOKEN}`) response.writeHead(401).end();
    else void issuer.token({ ...claims, aud: audience }).then((value) => response.end(JSON.stringify({ value })));
  });
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}/token?api-version=2.0`;
  try {
    const script: string = parse(docsBlock(PAGE, 'on: { push:')).jobs.deploy.steps.at(-1).run;
    return await job(script, gatewayUrl, { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN });
  } finally {
    server.close();
  }
}

/** The script of the GitLab job, in a job with these claims. */
export async function gitlabJob({ issuer, gatewayUrl }: CiPlatform, claims: object): Promise<Finished> {
  const { deploy } = parse(docsBlock(PAGE, 'deploy:\n  image'));
  const LICTOR = await issuer.token({ ...claims, aud: deploy.id_tokens.LICTOR.aud });
  return await job(deploy.script.join('\n'), gatewayUrl, { LICTOR });
}

/** `prefect` shows the status of a request with its settings, `pip` does nothing. */
async function job(script: string, gatewayUrl: string, env: Readonly<Record<string, string>>): Promise<Finished> {
  const bin = mkdtempSync(join(tmpdir(), 'lictor-test-ci-'));
  writeFileSync(join(bin, 'pip'), '#!/bin/sh\n', { mode: 0o755 });
  const shows = `curl -s -w 'prefect %{http_code}' -u "$PREFECT_API_AUTH_STRING" -X POST -H 'content-type: application/json' -d '{}' "$PREFECT_API_URL/flows/filter"`;
  writeFileSync(join(bin, 'prefect'), `#!/bin/sh\n${shows}\n`, { mode: 0o755 });
  const here = script.replaceAll('https://prefect.example.com', gatewayUrl);
  try {
    return await run({ name: 'CI job', command: 'sh', args: ['-ec', here], env: { PATH: `${bin}:${process.env['PATH']}`, ...env } });
  } finally {
    rmSync(bin, { recursive: true });
  }
}
