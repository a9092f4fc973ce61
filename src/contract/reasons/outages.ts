// 429 and 503: not now. 502: a service does not open a WebSocket.
import type { ReasonText } from './text.ts';

export const OUTAGE_REASONS = {
  'sockets-waiting': {
    status: 503,
    detail: 'Too many sockets without a credential are waiting.',
    hint: 'Retry; sockets with PREFECT_CLIENT_CUSTOM_HEADERS do not share the queue of upgrades without a credential.',
  },
  'rate-limited': { status: 429, detail: 'Too many requests.', hint: 'Send fewer requests; stock Prefect clients wait by themselves.' },
  'limit-exceeded': {
    status: 429,
    detail: 'This principal sends more requests than a limit in lictor.yaml permits.',
    hint: 'Wait as long as Retry-After says; stock Prefect clients do so.',
  },
  'budget-exceeded': {
    status: 429,
    detail: 'An agent has used its budget in lictor.yaml.',
    hint: 'Wait as long as Retry-After says. An administrator sees the budgets with lictor agent list, and changes them in lictor.yaml.',
  },
  'bodies-waiting': {
    status: 429,
    detail: 'The gateway is processing other large bodies of this principal, and has no memory for another one yet.',
    hint: 'Retry after some seconds; send fewer large bodies at once. At most 16 MiB of one principal are in work, and bodies up to 32 KiB never wait.',
  },
  'memory-short': {
    status: 503,
    detail: 'The gateway has too little memory for another body at the moment.',
    hint: 'Retry after some seconds; nothing was forwarded. An administrator finds the memory that it has and uses with lictor doctor.',
  },
  'approvals-pending': {
    status: 429,
    detail: 'Too many requests of this principal wait for an approval.',
    hint: 'Wait until a person has decided some of them, or until they expire: lictor approvals lists them.',
  },
  'draft-busy': { status: 503, detail: 'The gateway works on another draft of policies.', hint: 'Try again in some seconds; one simulation runs at a time.' },
  'draft-too-long': {
    status: 503,
    detail: 'The work on this draft did not end in time.',
    hint: 'Simulate a shorter time, or use lictor simulate on the gateway.',
  },
  'evidence-busy': { status: 503, detail: 'The gateway makes another report.', hint: 'Try again in some seconds; one report or verification runs at a time.' },
  'evidence-too-long': {
    status: 503,
    detail: 'The report or verification did not end in time.',
    hint: 'Take a shorter period, or use lictor evidence and lictor audit verify on the gateway.',
  },
  'review-busy': { status: 503, detail: 'Too many questions about rights wait.', hint: 'Try again in some seconds.' },
  'review-too-long': {
    status: 503,
    detail: 'The rights were not reviewed in time.',
    hint: 'Ask about fewer principals or a shorter time, or use lictor access and lictor explain on the gateway.',
  },
  'login-throttled': { status: 429, detail: 'Too many failed logins.', hint: 'Wait a minute, then try again.' },
  'device-throttled': { status: 429, detail: 'Too many wrong codes.', hint: 'Wait a minute, then type the code that the terminal shows.' },
  'gateway-unavailable': { status: 503, detail: 'The gateway cannot decide at the moment.', hint: 'Retry; nothing was forwarded.' },
  'credential-unconfirmed': {
    status: 503,
    detail: 'The gateway was restored from a backup, and does not know whether this credential was revoked after the backup.',
    hint: 'Wait. An administrator confirms it (lictor token confirm NAME, lictor account confirm NAME), or gives out a new one.',
  },
  'idp-unavailable': {
    status: 503,
    detail: 'The identity provider cannot be reached.',
    hint: 'Try again in a minute. An administrator finds the cause in control.log, and gets in with a built-in account meanwhile.',
  },
  'idp-misconfigured': {
    status: 503,
    detail: 'The configurations of the identity provider and the gateway do not match.',
    hint: 'Ask an administrator: control.log says what does not match.',
  },
  'upstream-unavailable': {
    status: 503,
    detail: 'Prefect does not answer, or rejects the credential of the gateway.',
    hint: 'Retry; lictor doctor says which, and what to do.',
  },
  'upstream-timeout': { status: 503, detail: 'Prefect did not answer in time.', hint: 'The request may have been carried out.' },
  'service-unavailable': {
    status: 503,
    detail: 'The service does not answer, or its certificate does not verify.',
    hint: 'Retry; a call that changes something may have been carried out. The error log of the edge says what happened.',
  },
  'service-timeout': {
    status: 503,
    detail: 'The service did not answer in time.',
    hint: 'The call may have been carried out. Its timeout is services[].timeout.',
  },
  'service-socket-refused': {
    status: 502,
    detail: 'The service did not open the WebSocket, or not as it should.',
    hint: 'Check that the service accepts WebSockets on this path; control.log says what it answered.',
  },
  'service-changed': { status: 503, detail: 'The configuration of the service changed.', hint: 'Open the socket again.' },
  'sockets-full': { status: 503, detail: 'Too many sockets of services are open.', hint: 'Retry in some seconds.' },
  'socket-closed': { status: 503, detail: 'An administrator closed this socket.', hint: 'Open the socket again.' },
  'gateway-restarts': { status: 503, detail: 'The gateway restarts.', hint: 'Open the socket again.' },
  'service-credential-unavailable': {
    status: 503,
    detail: 'The gateway cannot get its own credential for the service at the moment.',
    hint: 'Retry; nothing was forwarded. An administrator finds the cause in control.log.',
  },
  'host-unreachable': {
    status: 503,
    detail: 'The host is not known, or does not answer.',
    hint: 'Retry; a request that changes something may have been carried out.',
  },
  'ledger-unavailable': { status: 503, detail: 'The ledger cannot be written, so changes are refused.', hint: 'Check disk space of the state directory.' },
  'sidecar-no-credential': {
    status: 503,
    detail: 'The credential has expired, and lictor exec cannot get a new one at the moment.',
    hint: 'lictor exec says on its standard error which provider is away; nothing was forwarded.',
  },
  'sidecar-no-gateway': { status: 503, detail: 'The gateway cannot be reached.', hint: 'Check the address that lictor exec was given.' },
  'answer-withheld': {
    status: 503,
    detail: 'The gateway could not check this answer for the agent, or store that it was read, so it does not show it. A write may have been done.',
    hint: 'Repeat a read. After a write, look at the object in Prefect first.',
  },
  'outcome-unknown': { status: 503, detail: 'The control plane stopped before the outcome was known.', hint: 'Look at the object in Prefect.' },
} as const satisfies Record<string, ReasonText>;
