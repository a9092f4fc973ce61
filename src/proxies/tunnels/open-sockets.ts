// The open tunnels of one kind, for administrators.
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { OpenSocket, OpenSockets } from '../../contract/open-socket.ts';
import type { Credential, Principal } from '../../contract/principal.ts';

interface Open {
  readonly visit: { readonly inputs: Pick<EdgeInputs, 'requestId' | 'address'> };
  readonly authorization: { readonly principal: Principal; readonly credential: Credential };
}

interface Kind<T> {
  readonly kind: OpenSocket['kind'];
  readonly show: (tunnel: T) => Pick<OpenSocket, 'target' | 'userAgent' | 'sinceMs'> & Partial<Pick<OpenSocket, 'worker'>>;
  readonly end: (tunnel: T) => void;
}

export function openSockets<T extends Open>(tunnels: Iterable<T>, { kind, show, end }: Kind<T>): OpenSockets {
  return {
    list: () =>
      [...tunnels].map((tunnel) => {
        const { principal, credential } = tunnel.authorization;
        const { requestId: id, address } = tunnel.visit.inputs;
        const who = { principal: principal.id, onBehalfOf: principal.onBehalfOf, credentialId: credential.id, sessionId: credential.sessionId };
        return { id, kind, address, ...who, worker: null, ...show(tunnel) };
      }),
    close(id) {
      const found = [...tunnels].find(({ visit }) => id !== '' && visit.inputs.requestId === id);
      if (found !== undefined) end(found);
      return found !== undefined;
    },
  };
}
