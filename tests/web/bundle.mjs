// Loads a module of the page into Node.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const top = new URL('../../', import.meta.url);
const esbuild = createRequire(new URL('clients/js/package.json', top))('esbuild');

/// Returns what cmd/web/src/NAME.ts exports.
export async function load(name) {
  const { outputFiles: [file] } = await esbuild.build({
    entryPoints: [fileURLToPath(new URL(`cmd/web/src/${name}.ts`, top))],
    bundle: true,
    format: 'esm',
    write: false,
    external: ['callboard'], // types only
    logLevel: 'warning',
  });
  return import(`data:text/javascript,${encodeURIComponent(file.text)}`);
}
