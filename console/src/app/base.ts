// Where this console is: the gateway writes it into the page.

/** `PATH/.lictor/console`, without a slash at the end. */
export const CONSOLE: string = document.querySelector<HTMLMetaElement>('meta[name="lictor-base"]')?.content ?? '/.lictor/console';

/** `PATH/.lictor`: login, logout and the API are below it. */
export const LICTOR: string = CONSOLE.slice(0, -'/console'.length);

/** The path of `public_url`; empty without one. Prefect's UI and API are below it. */
export const ROOT: string = LICTOR.slice(0, -'/.lictor'.length);

/** The address that clients of this gateway use, for commands to paste. */
export const GATEWAY: string = `${location.origin}${ROOT}`;

/** A login that returns to the address that is shown now. `fresh`: also for a person whose session still holds. */
export function loginAddress({ fresh = false }: { readonly fresh?: boolean } = {}): string {
  const back = `${location.pathname}${location.search}`;
  return `${LICTOR}/login?${new URLSearchParams({ ...(fresh && { again: '1' }), return: back })}`;
}
