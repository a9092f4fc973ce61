// Vulnerabilities of supported Prefect releases that the gateway always closes. There is no switch.
import { isOlder } from '../../contract/release.ts';

export interface VirtualPatch {
  /** Or the number of the change that fixes it, if it has no CVE. */
  readonly cve: string;
  /** The first release without the hole. */
  readonly fixedIn: string;
  readonly hole: string;
  /** How it is stopped. */
  readonly stopped: string;
}

export const VIRTUAL_PATCHES: readonly VirtualPatch[] = [
  {
    cve: 'CVE-2026-7723',
    fixedIn: '3.6.14',
    hole: '/api/events/in accepts events without a credential',
    stopped: 'the relay opens nothing upstream before a credential is proven and may write events',
  },
  {
    cve: 'CVE-2026-3514',
    fixedIn: '3.6.22',
    hole: 'a path that ends in health or ready needs no credential',
    stopped: 'rights depend on the whole route, never on the end of a path',
  },
  {
    cve: 'CVE-2026-5366',
    fixedIn: '3.6.25',
    hole: 'a pull step can hand options to git, and so run a command on the worker',
    stopped: "a pull step whose git argument begins with a dash is an admin's to write (403 pull-step-option)",
  },
  {
    cve: 'PrefectHQ/prefect#22252',
    fixedIn: '3.7.5',
    hole: 'a client that has a form validated makes the server fetch the URL of a $ref in its schema',
    stopped: 'a schema that leads to another address is refused (400 body-invalid)',
  },
];

/** The vulnerabilities of a server of this version. An unreadable version counts as having all of them. */
export function holesOf(version: string): readonly VirtualPatch[] {
  return VIRTUAL_PATCHES.filter(({ fixedIn }) => isOlder(version, fixedIn) ?? true);
}
