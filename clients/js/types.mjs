// Fails where the types are wrong: those of src/, and those that are built, as
// somebody sees them who imports or requires the package.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './build.mjs';

const top = fileURLToPath(new URL('.', import.meta.url));
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const run = (...words) => execFileSync(process.execPath, words, { stdio: 'inherit' });

run(compiler, '-p', top);

const folder = mkdtempSync(join(tmpdir(), 'callboard-types-'));
try {
  const home = join(folder, 'node_modules/callboard');
  mkdirSync(home, { recursive: true });
  await buildAll(join(home, 'dist'));
  writeFileSync(join(home, 'package.json'), readFileSync(`${top}package.json`));
  const use = readFileSync(`${top}test/use.mts`, 'utf8');
  for (const name of ['use.mts', 'use.cts']) writeFileSync(join(folder, name), use);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      noEmit: true, strict: true, target: 'es2022', lib: ['es2022', 'dom'], module: 'nodenext',
      types: [],
    },
    files: ['use.mts', 'use.cts'],
  }));
  run(compiler, '-p', folder);
  writeFileSync(join(folder, 'use.mjs'), "import { connect } from 'callboard'; connect.call;\n");
  writeFileSync(join(folder, 'use.cjs'), "require('callboard').connect.call;\n");
  for (const name of ['use.mjs', 'use.cjs']) run(join(folder, name));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
