// Builds dist/: one module for `import`, one for `require`, and the types for
// each. What it makes depends on src/ alone, but for the license beside it.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const top = fileURLToPath(new URL('.', import.meta.url));
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/// Returns what esbuild is to do; `size.mjs` measures the same.
export const bundle = (format) => ({
  absWorkingDir: top,
  entryPoints: ['src/index.ts'],
  bundle: true,
  format,
  target: 'es2022',
  platform: 'neutral',
  charset: 'utf8',
  legalComments: 'none',
});

/// Builds both formats into `dist`, a folder that it makes anew.
export async function buildAll(dist = `${top}dist`) {
  rmSync(dist, { recursive: true, force: true });
  for (const [format, type] of [['esm', 'module'], ['cjs', 'commonjs']]) {
    const outdir = `${dist}/${format}`;
    mkdirSync(outdir, { recursive: true });
    writeFileSync(`${outdir}/package.json`, `{ "type": "${type}" }\n`);
    await build({ ...bundle(format), outdir });
    execFileSync(process.execPath, [compiler, '-p', top, '--noEmit', 'false',
      '--declaration', '--emitDeclarationOnly', '--outDir', outdir], { stdio: 'inherit' });
  }
  // Nobody gets the package without.
  copyFileSync(`${top}../../LICENSE`, `${dist}/LICENSE`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll();
