// Certificates for tests, made with the program openssl in a folder that goes
// away with the test.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'callboard-tls-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const openssl = (...words) => execFileSync('openssl', words, { stdio: 'pipe' });
const path = (name) => join(folder, name);
const pair = (name) => ({
  name, cert: path(`${name}.pem`), key: path(`${name}.key`),
  read() { return { cert: readFileSync(this.cert), key: readFileSync(this.key) }; },
});

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/// Makes who vouches for others. Returns {name, cert, key, read()}.
export function makeCa(name) {
  const made = pair(name);
  openssl('req', '-x509', ...newKey, '-keyout', made.key, '-out', made.cert,
    '-subj', `/CN=${name}`, '-days', '2');
  return made;
}

/// Makes a certificate for `subject`, good for 127.0.0.1 and localhost.
export function makeCertificate(ca, name, subject = name) {
  const made = pair(name);
  const [asked, extensions] = [path(`${name}.csr`), path(`${name}.ext`)];
  writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl('req', ...newKey, '-keyout', made.key, '-out', asked, '-subj', `/CN=${subject}`);
  openssl('x509', '-req', '-in', asked, '-CA', ca.cert, '-CAkey', ca.key,
    '-CAcreateserial', '-out', made.cert, '-days', '2', '-extfile', extensions);
  return made;
}

/// Writes a file of this folder and returns its path.
export function writeFile(name, text) {
  writeFileSync(path(name), text);
  return path(name);
}
