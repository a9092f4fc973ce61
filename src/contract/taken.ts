// The message for an address that another process listens on.

/** `key` is where lictor.yaml says it. IPv6 hosts may come with their brackets or without. */
export function takenWords({ host, port }: { readonly host: string; readonly port: number }, key: string): string {
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port} is taken: end what listens there, or change ${key}.`;
}
