// Tokens and key files, made by npm's `jose`: another implementation than the
// one under test.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';

const folder = mkdtempSync(join(tmpdir(), 'callboard-tokens-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/// Writes a file in one step, and returns its path.
export function writeKeyFile(name, text) {
  const path = join(folder, name);
  writeFileSync(`${path}.fresh`, text);
  renameSync(`${path}.fresh`, path);
  return path;
}

/// Makes a key: {algorithm, kid, privateKey, jwk (public), pem (public)}.
export async function makeKey(algorithm, kid = undefined) {
  if (algorithm === 'HS256') {
    const privateKey = randomBytes(32);
    const jwk = { kty: 'oct', k: privateKey.toString('base64url'), kid };
    return { algorithm, kid, privateKey, jwk };
  }
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  const jwk = { ...await exportJWK(publicKey), kid, use: 'sig', alg: algorithm };
  return { algorithm, kid, privateKey, jwk, pem: await exportSPKI(publicKey) };
}

/// Writes a JWK set and returns its path.
export function writeJwks(name, keys) {
  return writeKeyFile(name, JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
}

/// Signs a token for `user`. `claims` may replace anything; `livesS` is in
/// seconds from now.
export function sign(key, user, claims = {}, livesS = 3600) {
  const nowS = Date.now() / 1000;
  return new SignJWT({ sub: user, exp: nowS + livesS, ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT' })
    .sign(key.privateKey);
}

/// Returns the header that shows a token.
export const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
