// README.txt of a support bundle: what it holds, and what it does not.

export const README = `Lictor support bundle

Read these files before you give the bundle to anyone. lictor support made it; nothing was sent.

versions.json   versions of Lictor, Node, nginx, Prefect and the system; processors and memory
config.yaml     lictor.yaml without comments: only keys that Lictor knows. Removed: secrets, names of people, e-mail addresses,
                user, path and query of addresses, and values whose names you choose (parameters, claims). Host names stay, and the
                names of groups, roles, services, agents and tokens.
doctor.json     what lictor doctor --deep found. It names hosts, addresses, workers, tags and tokens.
state.json      sizes of the files in the state directory, and numbers of rows in the databases. No row.
metrics.txt     the metrics, if metrics.listen is set. Their labels hold no name of a principal.
nginx/          the configuration of nginx that Lictor wrote, without the files that hold credentials. It has host names and, where
                limits names one, principals.
logs/           the last lines of control.log and edge-error.log, without queries of addresses. They may hold personal data: names of
                principals, addresses of clients, and paths. lictor support --no-logs leaves them out.

Not here: the ledger and the access log, the store, keys, certificates, tokens, cookies, passwords, bodies.
Every secret that Lictor knows (configuration, environment, keys), and every text with the form of one, is replaced by
"[redacted: KIND]". A secret that only you know as one, such as a host name, is not.
`;
