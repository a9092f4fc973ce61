// The nginx configurations that the gateway is compared with, and the upstream they share. Each is given what is fair:
// as many workers, upstream keep-alive, no access log.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Running } from '../demo/running.ts';
import { nginxWorkerUser } from '../src/config/worker-user.ts';
import { EDGE_SECRET, INPUT } from '../src/contract/names.ts';
import { freePort } from '../src/operations/supervise/processes/free-port.ts';
import { startProcess } from '../src/operations/supervise/processes/start-process.ts';

export interface NginxParts {
  readonly binary: string;
  readonly root: string;
  readonly workers: number;
  readonly running: Running;
}

/** `http` is what stands in the http block, for the port it is to listen on. Answers that port. */
export async function startNginx(parts: NginxParts, name: string, http: (port: number) => string): Promise<number> {
  const port = await freePort();
  const dir = join(parts.root, `nginx-${name}`);
  mkdirSync(dir);
  const confFile = join(dir, 'nginx.conf');
  writeFileSync(confFile, renderMain(parts, dir, http(port)), { mode: 0o600 });
  const logFile = join(dir, 'nginx.log');
  await parts.running.add((isEnding) =>
    startProcess({
      name: `nginx (${name})`,
      command: parts.binary,
      args: ['-p', `${dir}/`, '-c', confFile],
      logFile,
      ready: async () => isEnding() || (await fetch(`http://127.0.0.1:${port}/`)).status > 0,
    }),
  );
  return port;
}

function renderMain({ workers }: NginxParts, dir: string, http: string): string {
  const user = nginxWorkerUser();
  return `daemon off;
${user === null ? '' : `user ${user.name};\n`}worker_processes ${workers};
pid "${dir}/nginx.pid";
error_log "${dir}/error.log" warn;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 1000000000;
    default_type application/json;
    client_body_temp_path "${dir}/body";
    proxy_temp_path "${dir}/proxy";
    fastcgi_temp_path "${dir}/fastcgi";
    uwsgi_temp_path "${dir}/uwsgi";
    scgi_temp_path "${dir}/scgi";
${http}
}
`;
}

/** 1 KB of JSON for whatever is asked, at both of its ports, but deployments for their list; sockets go on to `socketPort`. */
export function renderUpstream(port: number, servicePort: number, socketPort: number): string {
  const answer = JSON.stringify({ id: 'x', status: 'ACCEPT', text: 'y'.repeat(985) });
  return `    server {
        listen 127.0.0.1:${port};
        listen 127.0.0.1:${servicePort};
        location / { return 200 '${answer}'; }
        location = /api/deployments/filter { return 200 '${deployments()}'; }
        location = /api/events/in {
            proxy_pass http://127.0.0.1:${socketPort};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
        }
    }`;
}

/** As Prefect lists them, without fields that no tool reads. */
function deployments(): string {
  return JSON.stringify(
    Array.from({ length: 5 }, (_, index) => ({
      ...{ id: `00000000-0000-4000-8000-00000000000${index}`, flow_id: '00000000-0000-4000-8000-0000000000ff', name: `nightly-${index}` },
      ...{ created: '2026-01-01T00:00:00Z', updated: '2026-01-02T00:00:00Z', paused: false, status: 'READY', enforce_parameter_schema: true },
      ...{ description: 'Loads the orders of the day and reports them.', tags: ['etl', 'nightly'], parameters: { region: 'eu' }, schedules: [] },
      ...{ work_pool_name: 'etl', work_queue_name: 'default', entrypoint: 'flows/nightly.py:nightly', global_concurrency_limit: null },
    })),
  );
}

const PROXY = `proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://upstream_one;`;

function upstreamBlock(port: number): string {
  return `    upstream upstream_one { server 127.0.0.1:${port}; keepalive 64; }\n`;
}

/** A proxy and nothing else; with `accessLog`, the log that every stock nginx writes. */
export function renderBare(port: number, upstreamPort: number, accessLog?: string): string {
  return `${upstreamBlock(upstreamPort)}    server {
        listen 127.0.0.1:${port};
${accessLog === undefined ? '' : `        access_log "${accessLog}" combined;\n`}        location / {
            ${PROXY}
        }
    }`;
}

/** Where the gateway decides, and what it knows its own nginx by. */
export interface Decisions {
  readonly socket: string;
  readonly secret: string;
}

/** The same decision, asked on every request. */
export function renderUncached(port: number, upstreamPort: number, { socket, secret }: Decisions): string {
  const inputs: Readonly<Record<string, string>> = {
    [EDGE_SECRET]: `"${secret}"`,
    [INPUT.requestId]: '$request_id',
    [INPUT.host]: '$host',
    [INPUT.listener]: '$server_port',
    [INPUT.address]: '$remote_addr',
    [INPUT.authorization]: '$http_authorization',
    [INPUT.method]: '$request_method',
    [INPUT.operation]: '"read_flow_run_flow_runs__id__get"',
    [INPUT.path]: '$request_uri',
  };
  return `${upstreamBlock(upstreamPort)}    upstream decision { server unix:${socket}; keepalive 32; }
    server {
        listen 127.0.0.1:${port};
        location / {
            auth_request /decide;
            ${PROXY}
        }
        location = /decide {
            internal;
            proxy_http_version 1.1;
            proxy_pass_request_headers off;
            proxy_pass_request_body off;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
${Object.entries(inputs)
  .map(([name, value]) => `            proxy_set_header ${name} ${value};\n`)
  .join('')}            proxy_pass http://decision;
        }
    }`;
}

/** As oauth2-proxy's documentation has it for nginx, with keep-alive on top. */
export function renderOauth2(port: number, upstreamPort: number, oauth2Port: number): string {
  return `${upstreamBlock(upstreamPort)}    upstream oauth2 { server 127.0.0.1:${oauth2Port}; keepalive 64; }
    server {
        listen 127.0.0.1:${port};
        location = /oauth2/auth {
            internal;
            proxy_http_version 1.1;
            proxy_pass http://oauth2;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-Uri $request_uri;
            proxy_set_header Content-Length "";
            proxy_pass_request_body off;
        }
        location / {
            auth_request /oauth2/auth;
            error_page 401 = @denied;
            ${PROXY}
        }
        location @denied { return 403; }
    }`;
}
