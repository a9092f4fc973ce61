// The OAuth clients. All are public: they have no secret, and a person allows each login in the browser.

export interface OAuthClient {
  readonly id: string;
  /** Shown to the person. */
  readonly name: string;
}

export const CLI_CLIENT: OAuthClient = { id: 'lictor-cli', name: 'Lictor command line' };

export const CLIENTS: readonly OAuthClient[] = [CLI_CLIENT];
