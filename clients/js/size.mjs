// Fails where the client, minified, is more than 12 kB gzipped.

import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundle } from './build.mjs';

const bytesMax = 12000;

const { outputFiles: [file] } = await build({ ...bundle('esm'), minify: true, write: false });
const bytes = gzipSync(file.contents, { level: 9 }).length;
console.log(`${bytes} bytes gzipped, ${file.contents.length} minified; ${bytesMax} are the limit`);
process.exitCode = bytes <= bytesMax ? 0 : 1;
