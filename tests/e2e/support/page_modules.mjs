// Loads the page's modules into Node. They end in .js and lie in a folder
// without a package.json, which makes older Nodes take them for CommonJS; a
// copy beside a package.json is read as what it is.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const source = new URL('../../../net/page/', import.meta.url);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-page-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
fs.writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}\n');
for (const name of fs.readdirSync(source)) {
  if (name.endsWith('.js')) fs.copyFileSync(new URL(name, source), path.join(folder, name));
}

const load = (name) => import(pathToFileURL(path.join(folder, name)));

export const msgpack = await load('msgpack.js');
export const protocol = await load('protocol.js');
export const callboard = await load('callboard.js');
