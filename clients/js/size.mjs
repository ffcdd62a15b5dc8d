// Fails where the client, minified and without MessagePack, is more than 12 kB
// gzipped.

import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundle } from './build.mjs';

const bytesMax = 12000;

async function sizeOf(more) {
  const { outputFiles: [file] } = await build({
    ...bundle('esm'), ...more, minify: true, write: false,
  });
  return gzipSync(file.contents, { level: 9 }).length;
}

const whole = await sizeOf({});
const bytes = await sizeOf({ plugins: [{
  name: 'without MessagePack',
  setup: ({ onResolve }) => onResolve({ filter: /\/msgpack\.js$/ }, ({ path }) =>
    ({ path, external: true })),
}] });
if (bytes >= whole) throw new Error('MessagePack was not left out');
console.log(`${bytes} bytes gzipped without MessagePack, of ${bytesMax}; ${whole} with it`);
process.exitCode = bytes <= bytesMax ? 0 : 1;
