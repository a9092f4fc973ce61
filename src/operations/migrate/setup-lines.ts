// The lines that move a worker: its environment file, and what to paste for a process, a container, a systemd unit and Prefect's worker chart.
import type { Worker } from '../doctor/outside/all-workers.ts';

export const KINDS = ['process', 'docker', 'systemd', 'helm'] as const;
export type Kind = (typeof KINDS)[number];

export interface Access {
  /** PREFECT_API_URL. */
  readonly apiUrl: string;
  /** The authority of a self-made certificate; null: none. */
  readonly caFile: string | null;
}

/** One file for a shell, `docker --env-file`, systemd's `EnvironmentFile` and `kubectl --from-env-file`: none of them wants quotes here. */
export function environmentFile({ apiUrl, caFile }: Access, secret: string): string {
  const authority = caFile === null ? '' : isPlain(caFile) ? `PREFECT_API_SSL_CERT_FILE=${caFile}\n` : NAME_AUTHORITY;
  return `PREFECT_API_URL=${apiUrl}\nPREFECT_API_AUTH_STRING=any:${secret}\n${authority}`;
}

/** A path with other characters would need quotes, and each reader of the file has its own. */
const NAME_AUTHORITY = '# PREFECT_API_SSL_CERT_FILE: name a copy of the authority of the gateway.\n';

/** Without a secret: they name the file. */
export function setupLines(
  kind: Kind,
  worker: Worker,
  { file, tokenName, apiUrl }: { readonly file: string; readonly tokenName: string; readonly apiUrl: string },
): string {
  const start = `prefect worker start --pool ${word(worker.pool)} --name ${word(worker.name)}`;
  const at = word(file);
  switch (kind) {
    case 'process':
      return `set -a; . ${at}; set +a\n${start}\n`;
    case 'docker':
      return `docker run --detach --restart unless-stopped --env-file ${at} prefecthq/prefect:3-latest ${start}\n`;
    case 'systemd':
      return `# systemctl edit UNIT, paste, then: systemctl restart UNIT\n[Service]\nEnvironmentFile=${file}\n`;
    case 'helm': {
      const secret = `lictor-${tokenName}`.toLowerCase().replaceAll('_', '-');
      return `# kubectl create secret generic ${secret} --from-env-file=${at}\n${chartValues(worker, secret, apiUrl)}`;
    }
  }
}

/**
 * Values of the chart `prefect-worker`. Not its `basicAuth.existingSecret`: with it, the chart also gives the worker's secret to each job, in place of the
 * token of its run.
 */
function chartValues({ pool, name }: Worker, secret: string, apiUrl: string): string {
  return `worker:
  apiConfig: selfHostedServer
  config:
    workPool: ${JSON.stringify(pool)}
    name: ${JSON.stringify(name)}
  selfHostedServerApiConfig:
    apiUrl: ${apiUrl}
    basicAuth:
      enabled: false
  extraEnvVarsSecrets:
    - ${secret}
`;
}

/** One word of a shell. */
function word(text: string): string {
  return isPlain(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function isPlain(text: string): boolean {
  return /^[\w./+@%:=-]+$/.test(text);
}
