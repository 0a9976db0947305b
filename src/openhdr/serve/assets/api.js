// Talking to the server. Every request carries the key of this start, which came in the address after '#'.

const KEY = 'openhdr-key';
if (location.hash.length > 1) {
  localStorage.setItem(KEY, location.hash.slice(1));
  history.replaceState(null, '', location.pathname);
}

/** What the server refused, in words for the user. */
export class Refused extends Error {}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  headers.set('x-openhdr-token', localStorage.getItem(KEY) ?? '');
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response;
  const text = await response.text();
  let message = text || response.statusText;
  try {
    message = JSON.parse(text).error ?? message;
  } catch { /* plain text */ }
  throw new Refused(message);
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function get(path) {
  return (await ask(path)).json();
}

/** @type {Promise<any>} */
let before = Promise.resolve();

/**
 * Ask for a change. Changes arrive in the order in which they were asked for: options before the merge that takes them.
 * @param {string} path
 * @param {string} method
 * @param {unknown} [content]
 * @returns {Promise<any>}
 */
export function send(path, method, content) {
  const body = content === undefined ? undefined : JSON.stringify(content);
  const change = before.then(async () => (await ask(path, { method, body })).json());
  before = change.catch(() => {});
  return change;
}

/**
 * Calls `heard` with every message of the server's event stream, for ever; `lost` when the server is gone.
 * @param {(message: any) => void} heard
 * @param {(gone: boolean) => void} lost
 */
export async function listen(heard, lost) {
  for (;;) {
    try {
      const reader = (await ask('/api/events')).body?.pipeThrough(new TextDecoderStream()).getReader();
      lost(false);
      let text = '';
      for (;;) {
        const part = await reader?.read();
        if (!part || part.done) break;
        const messages = (text + part.value).split('\n\n');
        text = messages.pop() ?? '';
        for (const message of messages) {
          if (message.startsWith('data: ')) heard(JSON.parse(message.slice(6)));
        }
      }
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    lost(true);
    await new Promise((done) => setTimeout(done, 1000));
  }
}
