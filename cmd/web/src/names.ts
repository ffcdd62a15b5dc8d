// Names of rooms and people, and how they look.

const roomChars = 40;
export const nameChars = 32;

/** Returns what a topic's segment can be of what somebody typed, or ''. */
export function roomName(typed: string): string {
  return typed.trim().replace(/^#+/, '').replace(/[\s/+#\p{Cc}]+/gu, '-')
    .replace(/^-+|-+$/g, '').slice(0, roomChars)
    .replace(/\p{Cs}/gu, ''); // half a pair cannot be in an address
}

/** Returns the room that an address's `#…` links to, or ''. */
export function roomOfHash(hash: string): string {
  try {
    return roomName(decodeURIComponent(hash));
  } catch { // somebody cut the address within an escape
    return '';
  }
}

const pick = (list: readonly string[]): string =>
  list[Math.floor(Math.random() * list.length)] ?? '';

/** Makes up a name, so that two tabs differ from the start. */
export function madeUpName(): string {
  const colours = ['Amber', 'Coral', 'Indigo', 'Olive', 'Scarlet', 'Silver', 'Teal', 'Violet'];
  const birds = ['Crane', 'Finch', 'Heron', 'Ibis', 'Lark', 'Magpie', 'Robin', 'Wren'];
  return `${pick(colours)} ${pick(birds)}`;
}

/** Returns a name for who has told none, from the connection's name. */
export const guestName = (sender: string): string =>
  sender ? `Guest ${sender.slice(-4)}` : 'The server';

/** Returns an angle that is the same for the same text (FNV-1a). */
export function hueOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash % 360;
}

/** Returns one or two letters for a round picture. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return words.slice(0, 2).map((word) => [...word][0]).join('').toUpperCase() || '?';
}

/** Returns 32 random hexadecimal digits; works without HTTPS, too. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
