// One request by HTTP/2 over TLS, whoever signed the certificate.
import { connect, type OutgoingHttpHeaders } from 'node:http2';

/** The status of a GET. */
export function askHttp2(port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3', headers: OutgoingHttpHeaders): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://localhost:${port}`, { rejectUnauthorized: false, maxVersion });
    session.once('error', reject);
    const stream = session.request({ ':path': '/api/flows/filter', ...headers });
    stream.once('error', reject);
    stream.once('response', (answer) => {
      session.destroy();
      resolve(answer[':status']);
    });
    stream.end();
  });
}
