// What a chaos proxy does to one direction of one connection. It goes by bytes
// alone, not by how they arrive, so a seed means the same every time.

import { seeded } from './seeded.mjs';

/// Shares are from 0 to 1, times in milliseconds; what is drawn is drawn evenly.
export const gentle = Object.freeze({
  /// Of connections: ended at once.
  refused: 0,
  /// Of connections: whose life ends, after 1 … lifeBytesMax bytes of a
  /// direction or 1 … lifeMsMax, in one of `ends`.
  mortal: 0,
  lifeBytesMax: 64 * 1024,
  lifeMsMax: 10000,
  ends: Object.freeze(['close', 'reset', 'stall']),
  /// How long a stall lasts before it becomes a reset.
  stallMs: 5000,
  /// Pieces have 1 … pieceBytesMax bytes, and this share of them 1 … 8.
  pieceBytesMax: 4096,
  tiny: 0.2,
  /// Of pieces: that wait 0 … delayMsMax.
  delayed: 0.05,
  delayMsMax: 50,
});

/// A proxy that hurts.
export const rough = Object.freeze({ ...gentle, refused: 0.1, mortal: 0.9 });

const from1 = (random, max) => 1 + Math.floor(random() * max);

/// Returns what becomes of a proxy's n-th connection, from 0: {refused, end,
/// lifeMs, stallMs, up, down}. `end` is one of `ends`, or null: then it lives.
/// `up` (to the server) and `down` are {lifeBytes, pieces}: pieces() returns the
/// next {bytes, delayMs}.
export function connectionPlan(seed, n, settings = gentle) {
  const random = seeded(Math.imul(seed, 0x9E3779B1) + Math.imul(n + 1, 0x85EBCA6B));
  const refused = random() < settings.refused;
  const mortal = random() < settings.mortal;
  const end = settings.ends[Math.floor(random() * settings.ends.length)];
  const lifeMs = from1(random, settings.lifeMsMax);
  return {
    refused,
    end: mortal ? end : null,
    lifeMs,
    stallMs: settings.stallMs,
    up: directionPlan(random, mortal, settings),
    down: directionPlan(random, mortal, settings),
  };
}

function directionPlan(random, mortal, settings) {
  const lifeBytes = from1(random, settings.lifeBytesMax);
  const own = seeded(Math.floor(random() * 2 ** 32));
  return {
    lifeBytes: mortal ? lifeBytes : Infinity,
    pieces: () => nextPiece(own, settings),
  };
}

function nextPiece(random, { tiny, pieceBytesMax, delayed, delayMsMax }) {
  const isTiny = random() < tiny;
  const bytes = from1(random, isTiny ? Math.min(8, pieceBytesMax) : pieceBytesMax);
  const isDelayed = random() < delayed;
  const delayMs = Math.floor(random() * (delayMsMax + 1));
  return { bytes, delayMs: isDelayed ? delayMs : 0 };
}
