// Messages between the supervisor and the control plane, over the child's IPC channel.

/** Control plane -> supervisor. */
export type FromControl =
  /** nginx may (re)start with these arguments: the configuration has passed `nginx -t`. */
  | { readonly type: 'edge-start'; readonly binary: string; readonly args: readonly string[] }
  /** The configuration behind the running nginx was swapped: send HUP. */
  | { readonly type: 'edge-reload' }
  /** A log was renamed: nginx opens its log files anew (USR1). */
  | { readonly type: 'edge-reopen' }
  /** For the person at the terminal. */
  | { readonly type: 'notice'; readonly text: string }
  /** Decision socket, control socket and relay handler are up. */
  | { readonly type: 'ready' }
  /** The answer to `leave`, after `shutdown_delay`, and to `yield`. */
  | { readonly type: 'done' }
  /** Twice a second: its event loop comes round. */
  | { readonly type: 'beat' }
  /** The control plane cannot start, and a restart would not help (broken configuration); but one that was ready once is tried again: what it lacks may come back. */
  | { readonly type: 'fatal'; readonly message: string };

/** Supervisor -> control plane. */
export type ToControl =
  /** To be recorded: the one before hung, and was killed. */
  | { readonly type: 'hung' }
  /** `/.lictor/ready` says 503 from now on, so that a load balancer uses other nodes. Everything else is served. */
  | { readonly type: 'leave' }
  /** Another control plane of this state directory starts: leave the work to it that only one may do, and serve. */
  | { readonly type: 'yield' }
  /** It has not started: do that work again. */
  | { readonly type: 'resume' }
  /** The control plane before this one has ended. */
  | { readonly type: 'alone' }
  /** Close sockets with 1012. Requests are served. */
  | { readonly type: 'drain' }
  /** nginx asks no more: finish requests, flush the ledger, then exit 0. */
  | { readonly type: 'finish' }
  /** Read the configuration again (SIGHUP). */
  | { readonly type: 'reload' };
