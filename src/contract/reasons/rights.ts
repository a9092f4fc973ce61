// 403, and 404 for objects that the principal must not see: authenticated, and not allowed.
import type { ReasonText } from './text.ts';

const TOKEN_HINT =
  'Send a service token as Basic password (PREFECT_API_AUTH_STRING=any:TOKEN), as Bearer, or as X-Lictor-Token in PREFECT_CLIENT_CUSTOM_HEADERS.';

export const RIGHT_REASONS = {
  locked: {
    status: 403,
    detail: 'Access from here, or of this principal, is locked.',
    hint: 'Ask an administrator: lictor locks shows why, lictor unlock ends it.',
  },
  'client-not-allowed': {
    status: 403,
    detail: 'This gateway accepts no clients from the host of this client.',
    hint: 'Ask an administrator to add the host to oauth_client_hosts, or the client to oauth_clients, in lictor.yaml.',
  },
  'agent-sponsor-ended': {
    status: 403,
    detail: 'The sponsor of this agent has no standing any more: the person is unknown, has no role, or has not logged in for 30 days.',
    hint: 'Ask the sponsor to log in, or an administrator to name another sponsor in lictor.yaml (docs/how-to/agents.md).',
  },
  'agent-not-sponsor': {
    status: 403,
    detail: 'This OAuth client is an agent, and another person than its sponsor has logged in.',
    hint: 'Log in as the sponsor that lictor.yaml names for the agent.',
  },
  'agent-ambiguous': {
    status: 403,
    detail: 'The claims of this credential match several agents.',
    hint: 'Ask an administrator: in lictor.yaml, the credentials of agents must not overlap.',
  },
  'policy-default-deny': {
    status: 403,
    detail: 'No policy permits this.',
    hint: 'Ask an administrator for a role that may do it.',
  },
  'object-foreign': {
    status: 404,
    detail: 'The object does not exist, or the roles of this principal do not cover it.',
    hint: 'The client gets the answer of Prefect for an object that does not exist; only the record has this reason.',
  },
  'run-foreign': {
    status: 403,
    detail: 'This idempotency_key belongs to an earlier run that this principal may not read. No run was made.',
    hint: 'Use another key, or ask an administrator for the right to read the run.',
  },
  'run-bound': {
    status: 403,
    detail: 'A run token covers its own run and the runs that it started, and no other run.',
    hint: 'Use another credential for other runs. A run token may also read parent runs and lists; see docs/reference/run-rights.md.',
  },
  'parameters-refused': {
    status: 403,
    detail: 'A rule of the agent refuses the parameters.',
    hint: 'Send parameters that meet the JSON Schema of the agent: agents[].parameters in lictor.yaml.',
  },
  'job-variables-refused': {
    status: 403,
    detail: 'An agent must not say how or where a run executes.',
    hint: 'Leave out job_variables, the work queue, the infrastructure, the first state of the run, and enforce_parameter_schema.',
  },
  'descendants-exceeded': {
    status: 403,
    detail: 'The runs below this run of an agent are as many as its budget permits, or in too long a chain.',
    hint: 'An administrator raises budgets.descendants of the agent in lictor.yaml. A chain of runs has at most 18 links.',
  },
  'starts-uncounted': {
    status: 403,
    detail: 'An agent with a budget of runs must not write schedules and automations that start runs: no budget counts those runs.',
    hint: 'Start the run itself, or ask a person to write the schedule or the automation.',
  },
  'env-reserved': {
    status: 403,
    detail:
      'How a flow run reaches the gateway, what a worker has in its own environment, and which run a job is of, is no matter of job variables and templates.',
    hint: 'Leave PREFECT_API_URL, PREFECT_API_KEY, PREFECT_API_AUTH_STRING and PREFECT_CLIENT_CUSTOM_HEADERS out, in any spelling, templates of the environment of the worker, and labels of prefect.io; set variables on the worker. See docs/reference/run-rights.md.',
  },
  'scope-excludes': {
    status: 403,
    detail: 'The scope of the role does not cover this object, or the object after the change.',
    hint: 'Ask an administrator to widen the scope of the role: tags, work_pools, deployments, flows and names are in lictor.yaml.',
  },
  'tag-guarded': {
    status: 403,
    detail: 'Adding, removing or using the limit of this tag needs a role whose scope names the tag.',
    hint: 'Leave the tag as it is, or ask an administrator: a tag that some scope names is guarded (docs/reference/scopes.md).',
  },
  'scope-not-filterable': {
    status: 403,
    detail: 'The gateway cannot narrow this request to the scope of the role, so it denies it.',
    hint: 'Ask for one object or one kind of objects; an administrator can give a role on everything.',
  },
  'taint-denied': {
    status: 403,
    detail: 'This agent has read text that others wrote. It may not write for 60 minutes after that.',
    hint: 'Wait until then and read nothing, or ask an administrator: agents[].taint: approve lets the sponsor approve each write.',
  },
  'egress-unchecked': {
    status: 403,
    detail: 'Services and the forward proxy are not for agents: no budget and no approval covers these calls.',
    hint: 'Let a flow call the service with its run token, and let the agent start the flow.',
  },
  'own-api-unchecked': {
    status: 403,
    detail: 'The API of the gateway is not for agents: no budget, taint or redaction covers its answers.',
    hint: 'Let the agent use the MCP tools get_timeline and explain_access, or let a person read the API.',
  },
  'socket-unchecked': {
    status: 403,
    detail: 'Lictor checks each request of this principal, and cannot check the frames of a socket. So it gets no socket of Prefect.',
    hint: 'Use the HTTP API: POST /api/logs/filter and /api/events/filter to read, POST /api/events to write.',
  },
  'policy-forbids': { status: 403, detail: 'A policy forbids this.', hint: 'Ask an administrator; the record of this request names the policy.' },
  'approval-required': {
    status: 403,
    detail: 'This request waits for the approval of a person.',
    hint: 'Let a person who may approve it open approval_url, then send the same request again before expires_at.',
  },
  'approval-denied': {
    status: 403,
    detail: 'A person denied this request.',
    hint: 'Send no such request again before expires_at; the page at approval_url shows who denied it and why.',
  },
  'approval-used': {
    status: 403,
    detail: 'The approval of this request has been used: it allowed one request.',
    hint: 'The request has run. From expires_at on, the same request can wait for a new approval.',
  },
  'approver-other': {
    status: 403,
    detail: 'This person may not decide this request.',
    hint: 'The sponsor of the agent decides, or a person whom the rule names: never the requester (docs/how-to/approvals.md).',
  },
  'login-not-recent': {
    status: 403,
    detail: 'This needs a login of the last five minutes.',
    hint: 'Log in again on the page that asks for it, then repeat.',
  },
  'session-required': {
    status: 403,
    detail: 'A change over the admin API needs a person who is logged in with a browser.',
    hint: "Make the change in the console, or with the lictor command on the gateway's machine.",
  },
  'approval-impossible': {
    status: 403,
    detail: 'This needs an approval, and cannot wait for one.',
    hint: 'Calls of services, connections and the pages of the gateway cannot wait; an administrator can change the rule (docs/how-to/approvals.md).',
  },
  'scope-missing': {
    status: 403,
    detail: 'The client scopes of this login do not include this action.',
    hint: 'Log in again with more client scopes: lictor login --scope prefect:read --scope prefect:run.',
  },
  'scope-filter': {
    status: 403,
    detail: 'This filter cannot be joined with the scope of the role.',
    hint: 'Leave operator or_ out, and ask for several tags with all_; docs/reference/scoped-lists.md says what can be joined.',
  },
  'filter-hidden': {
    status: 403,
    detail: 'This filter asks about data that no answer shows to a role with a scope.',
    hint: 'Leave the field out; docs/reference/scoped-lists.md lists the fields that a role with a scope may use.',
  },
  'scope-too-wide': {
    status: 403,
    detail: 'Too many objects are in the scope of the role for this list.',
    hint: 'Ask for less: a time, a state, a flow or a deployment in the filter.',
  },
  'role-missing': { status: 403, detail: 'This person has no role.', hint: 'Ask an administrator for a group that has a role.' },
  'groups-overage': {
    status: 403,
    detail: 'The identity provider left out the groups of this person, because there are too many.',
    hint: 'An administrator lets it send only the groups that are assigned to this application, or application roles, or provisions the person by SCIM (docs/how-to/login.md).',
  },
  'assertion-encrypted': {
    status: 403,
    detail: 'The identity provider encrypts its assertions, which this gateway does not read.',
    hint: 'An administrator of the provider turns their encryption off for this application; they travel over TLS and are signed (docs/how-to/login-saml.md).',
  },
  'groups-unreadable': {
    status: 403,
    detail: 'The identity provider sends groups in a form that cannot be read.',
    hint: 'groups_claim or groups_attribute must name a list of names (docs/how-to/login.md).',
  },
  'identity-name-taken': {
    status: 403,
    detail: 'Another person had this name at the identity provider before.',
    hint: 'Ask an administrator to check who it is, then to run: lictor identity forget NAME@IDP.',
  },
  'login-denied-by-idp': { status: 403, detail: 'The identity provider rejected this login.', hint: 'Try again, or ask its administrator.' },
  'action-unknown': {
    status: 403,
    detail: 'The route is not in the action catalogue, so it is denied.',
    hint: 'Check method and path; a newer Prefect may need a newer Lictor.',
  },
  'service-route-unknown': {
    status: 403,
    detail: 'services[].allow does not include this method on this path.',
    hint: 'services[].allow in lictor.yaml lists what may be called; docs/reference/service-calls.md says how paths are compared.',
  },
  'service-unknown': {
    status: 404,
    detail: 'The gateway has no service of this name.',
    hint: 'Check the name in the path: services in lictor.yaml lists every service.',
  },
  'host-unlisted': {
    status: 403,
    detail: 'This host is not on the list of the forward proxy.',
    hint: 'forward_proxy.allow in lictor.yaml lists the hosts that may be reached; docs/how-to/forward-proxy.md says how names are compared.',
  },
  'host-literal': {
    status: 403,
    detail: 'The forward proxy accepts host names only, no addresses.',
    hint: 'Use the name of the host: the proxy rejects addresses in every notation.',
  },
  'host-port': {
    status: 403,
    detail: 'The forward proxy connects to port 443 (CONNECT) and port 80 (plain http) only.',
    hint: 'Use https:// on its usual port through CONNECT, or http:// on its usual port.',
  },
  'host-private': {
    status: 403,
    detail: 'The name leads to an address that is private, reserved, or of the gateway or Prefect.',
    hint: 'Call a host of the inner network as a service: docs/how-to/services.md.',
  },
  'route-denied': { status: 403, detail: 'The gateway denies this route to everyone.', hint: 'It is debug or internal surface of Prefect.' },
  'origin-foreign': {
    status: 403,
    detail: 'A write or a socket by session cookie or client certificate must come from this origin.',
    hint: 'Use a service token for programs.',
  },
  'session-not-accepted': { status: 403, detail: 'A browser session is not accepted here.', hint: TOKEN_HINT },
  'label-reserved': { status: 403, detail: 'Labels that start with lictor. are written by the gateway only.', hint: 'Use another key.' },
  'automation-exceeds-rights': {
    status: 403,
    detail: 'The automation would do something that its author may not do.',
    hint: 'Its author needs the right of each action, on the object that the action names; inferred targets, webhooks and notifications are for administrators.',
  },
  'bulk-item-forbidden': {
    status: 403,
    detail: 'This principal may not change some of the matching objects, so none was changed.',
    hint: 'Narrow the filter.',
  },
  'pull-step-option': {
    status: 403,
    detail: 'A git argument of a pull step starts with a dash, which git on the worker would take for an option.',
    hint: 'Write the name of a repository, branch, commit or directory; only an administrator may write this.',
  },
  'block-called-by-server': {
    status: 403,
    detail: 'The Prefect server itself calls the addresses in blocks of this type, so they are for administrators.',
    hint: 'Ask an administrator, or keep the address in a block of another type.',
  },
  'event-reserved': {
    status: 403,
    detail: 'The name of the event, or a name in it, is reserved for Prefect or the gateway.',
    hint: 'Use another name: below prefect. the gateway accepts what stock clients report, below lictor. nothing.',
  },
  'event-foreign-run': {
    status: 403,
    detail: "The event names a run that is not the sender's, or two runs.",
    hint: 'Name the same run in resource, related and payload; a run token covers its own run only.',
  },
  'event-repeated': { status: 403, detail: 'Another principal has sent an event with this id.', hint: 'Give each event a new id.' },
} as const satisfies Record<string, ReasonText>;
