// For tests: nginx's inputs, all empty except the given ones.
import type { EdgeInputs } from '../../contract/inputs.ts';

export function anEdgeInput(given: Partial<EdgeInputs>): EdgeInputs {
  return {
    requestId: 'request-1',
    host: 'localhost',
    listener: '8200',
    address: '192.0.2.1',
    authorization: '',
    token: '',
    session: '',
    certificate: '',
    sameOrigin: false,
    method: 'GET',
    operation: '',
    path: '',
    args: '',
    ...given,
  };
}
