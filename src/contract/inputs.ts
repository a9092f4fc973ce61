// The variables that nginx sends about one request. The key of the decision has the same ones.

/** Strings are raw and possibly empty; empty means absent. */
export interface EdgeInputs {
  readonly requestId: string;
  readonly host: string;
  readonly listener: string;
  /** The socket peer's address. */
  readonly address: string;
  readonly authorization: string;
  readonly token: string;
  readonly session: string;
  /** The verified client certificate, percent-encoded PEM; empty when there is none. */
  readonly certificate: string;
  readonly sameOrigin: boolean;
  /** Origin or Sec-Fetch-Site names another site. Neither of the two: no header says so. */
  readonly foreignOrigin?: boolean;
  readonly method: string;
  /** operationId; empty when the route is not in the catalogue. */
  readonly operation: string;
  /** Raw path without the query; empty on the decision path of operations that are not object-scoped. */
  readonly path: string;
  /** Raw query; on the decision path only where the catalogue says that it decides. */
  readonly args: string;
  /** The part of the gateway that got the request: a token is valid for one of them. Left out: everything but the MCP endpoint. */
  readonly audience?: 'mcp';
}
