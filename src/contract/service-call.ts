// A call of a service as nginx names it to the decision and in its log: `svc:billing:GET:/v1/*`.

export interface ServiceCall {
  readonly service: string;
  readonly method: string;
  /** Pattern of the route that the path is of; empty: of none. */
  readonly route: string;
}

const PREFIX = 'svc:';

/** It is in the decision's key, and so all that a decision may depend on. */
export function serviceOperation({ service, method, route }: ServiceCall): string {
  return `${PREFIX}${service}:${method}:${route}`;
}

/** Undefined: the operation is one of Prefect's, or none. Not checked here: that there is such a service (nginx/canonical.conf). */
export function parseServiceOperation(text: string): ServiceCall | undefined {
  const match = /^svc:([A-Za-z0-9._~-]+):([A-Z]+):(\/\S*)?$/.exec(text);
  return match === null ? undefined : { service: match[1] ?? '', method: match[2] ?? '', route: match[3] ?? '' };
}

/** The one action on services. */
export const CALL_ACTION = 'services.call';

/** `ServiceRoute::"billing/v1/*"`, as policies and records name it. */
export function routeId({ service, route }: Pick<ServiceCall, 'service' | 'route'>): string {
  return `${service}${route}`;
}

/** Below `/.lictor/`, and below the path of public_url. */
export const SERVICES_PREFIX = '/.lictor/svc/';
