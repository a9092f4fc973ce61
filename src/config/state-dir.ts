// All paths below the state directory. No other file joins them.
import { join } from 'node:path';

/** The umask of processes that write a state directory: only this user reads files. nginx's workers may enter directories, but not list them. */
export const PRIVATE_UMASK = 0o066;

export interface StatePaths {
  readonly root: string;
  /** Sockets and pid files. A symbolic link to `runtime`. */
  readonly run: string;
  readonly decisionSocket: string;
  /** Own pages and the mediator, for nginx. */
  readonly controlSocket: string;
  /** Decided calls of services that go through the service proxy, from nginx. */
  readonly proxySocket: string;
  /** Sockets of Prefect and of services, for nginx. */
  readonly relaySocket: string;
  /** The same without a credential: a flood of them fills only this queue. */
  readonly anonymousSocket: string;
  /** Of the supervisor: an upgrade waits there while the control plane is away. */
  readonly holdSocket: string;
  /** Of the supervisor: another `lictor up --replace` asks there for its place. 0600. */
  readonly handoverSocket: string;
  /** For the command line of the same user: 0600. */
  readonly adminSocket: string;
  readonly nginxPid: string;
  /** Sockets of nginx, one for each Prefect server. Only the user of the workers can use them. */
  readonly memberSockets: string;
  readonly supervisorPid: string;
  /** The decision cache: tmpfs where there is one. */
  readonly decisionCache: string;
  readonly log: string;
  readonly accessLog: string;
  readonly edgeErrorLog: string;
  readonly controlLog: string;
  /** Rendered nginx configuration: `nginx.conf` and its includes. */
  readonly edge: string;
  readonly ledgerFile: string;
  /** Signs the ends of the ledger's chains. */
  readonly ledgerKey: string;
  readonly storeFile: string;
  /** Which node of a Postgres store this directory belongs to, over restarts. */
  readonly nodeId: string;
  /** Encrypts small secrets of the store, and with Postgres the keys that all nodes share. It is the only key that is copied to each node. */
  readonly sealKey: string;
  /** Derives the tokens of flow runs; never leaves the machine. */
  readonly runTokenKey: string;
  /** nginx authenticates to the control plane with it. */
  readonly edgeSecret: string;
  /** Certificate and key that sign messages to SAML providers. */
  readonly samlSigner: string;
  /** Key pairs whose public keys Lictor publishes. */
  readonly signingKeys: string;
  /** A copy of the configuration file that was applied last. It holds references to secrets, and no secret. */
  readonly configInUse: string;
  /** The position of each sink of the ledger. */
  readonly exports: string;
  /** The position of the events that Lictor sends to Prefect. */
  readonly announced: string;
  readonly ownCertificate: OwnCertificatePaths;
  /** Space that Lictor frees when the disk is full. */
  readonly reserve: string;
  /** See state-version.ts. */
  readonly version: string;
  readonly backup: string;
  /** A complete restore from a backup, before it is in place; and while it is put there. */
  readonly restored: string;
  readonly restoring: string;
}

/** Files for `tls: { self_made: true }`. */
export interface OwnCertificatePaths {
  readonly dir: string;
  readonly names: { readonly ca: string; readonly caKey: string; readonly server: string };
  /** For clients. */
  readonly caFile: string;
  readonly caKeyFile: string;
  /** Certificate and key. */
  readonly serverFile: string;
}

export function ownCertificatePaths(root: string): OwnCertificatePaths {
  const dir = join(root, 'tls');
  const names = { ca: 'ca.pem', caKey: 'ca-key.pem', server: 'server.pem' };
  return { dir, names, caFile: join(dir, names.ca), caKeyFile: join(dir, names.caKey), serverFile: join(dir, names.server) };
}

/** `runtime` is the short, worker-reachable directory (see config/runtime-dir.ts) that `STATE/run` points to. */
export function statePaths(root: string, runtime: string): StatePaths {
  return {
    root,
    run: join(root, 'run'),
    decisionSocket: join(runtime, 'decision.sock'),
    controlSocket: join(runtime, 'control.sock'),
    proxySocket: join(runtime, 'proxy.sock'),
    relaySocket: join(runtime, 'relay.sock'),
    anonymousSocket: join(runtime, 'anonymous.sock'),
    holdSocket: join(runtime, 'hold.sock'),
    handoverSocket: join(runtime, 'handover.sock'),
    adminSocket: join(runtime, 'admin.sock'),
    nginxPid: join(runtime, 'nginx.pid'),
    memberSockets: join(runtime, 'balancer'),
    supervisorPid: join(runtime, 'supervisor.pid'),
    decisionCache: join(runtime, 'decisions'),
    log: join(root, 'log'),
    accessLog: join(root, 'log', 'access.log'),
    edgeErrorLog: join(root, 'log', 'edge-error.log'),
    controlLog: join(root, 'log', 'control.log'),
    edge: join(root, 'edge'),
    ledgerFile: join(root, 'ledger.db'),
    ledgerKey: join(root, 'keys', 'ledger.pem'),
    storeFile: join(root, 'lictor.db'),
    nodeId: join(root, 'node-id'),
    sealKey: join(root, 'keys', 'seal.key'),
    runTokenKey: join(root, 'keys', 'run-token.key'),
    edgeSecret: join(root, 'keys', 'edge.key'),
    samlSigner: join(root, 'keys', 'saml.pem'),
    signingKeys: join(root, 'keys', 'signing.json'),
    configInUse: join(root, 'config-in-use.yaml'),
    exports: join(root, 'exports'),
    announced: join(root, 'announced.json'),
    ownCertificate: ownCertificatePaths(root),
    reserve: join(root, 'reserve'),
    version: join(root, 'version'),
    backup: join(root, 'backup'),
    restored: join(root, 'restored'),
    restoring: join(root, 'restoring'),
  };
}
