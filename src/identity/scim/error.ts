// Errors of SCIM (RFC 7644, 3.12). Thrown at this edge alone: the endpoint makes an answer of them, and the transaction has no effect.

export type ScimType = 'invalidFilter' | 'tooMany' | 'uniqueness' | 'mutability' | 'invalidSyntax' | 'invalidPath' | 'noTarget' | 'invalidValue';

export class ScimError extends Error {
  readonly status: number;
  readonly scimType: ScimType | undefined;

  constructor(status: number, detail: string, scimType?: ScimType) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}

export function invalid(scimType: ScimType, detail: string): ScimError {
  return new ScimError(400, detail, scimType);
}

export function notFound(): ScimError {
  return new ScimError(404, 'There is no such resource.');
}

export const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error';

export function errorBody({ status, scimType, message }: ScimError): Readonly<Record<string, unknown>> {
  return { schemas: [ERROR_SCHEMA], status: String(status), ...(scimType !== undefined && { scimType }), detail: message };
}
