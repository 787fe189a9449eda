/** Three base64url parts: what every signed token looks like. Only the platform verifies it. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/u;

/** The token of a fragment such as `#token=...`, or null. */
export function tokenOfFragment(fragment: string): string | null {
  const token = new URLSearchParams(fragment.replace(/^#/u, '')).get('token');
  return token !== null && TOKEN.test(token) ? token : null;
}

/** The token that somebody pasted: itself, with or without `Bearer`, or a whole link. */
export function tokenOfPaste(pasted: string): string | null {
  const text = pasted.trim().replace(/^bearer\s+/iu, '');
  if (TOKEN.test(text)) return text;
  const fragment = text.indexOf('#');
  return fragment === -1 ? null : tokenOfFragment(text.slice(fragment));
}
