// Makes the page of this folder and the client of clients/js:
//
//   node cmd/web/build.mjs FOLDER [--depfile FILE]
//
// FOLDER gets index.html, app.js, style.css, icon.svg and licenses.txt. FILE
// gets what they were made of, as make's rule, so that a build knows when to
// make them anew.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const web = path.dirname(fileURLToPath(import.meta.url));
const top = path.resolve(web, '../..');
const client = path.join(top, 'clients/js');

function loadEsbuild() {
  try {
    return createRequire(path.join(client, 'package.json'))('esbuild');
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    console.error('esbuild is missing: ./dev bootstrap, or npm ci --prefix clients/js');
    return process.exit(1);
  }
}

/// Bundles app.js and style.css, and returns the paths of what is in them.
async function bundle(esbuild, folder) {
  const { metafile } = await esbuild.build({
    absWorkingDir: top,
    entryPoints: { app: path.join(web, 'src/main.ts'), style: path.join(web, 'style.css') },
    outdir: folder,
    alias: { callboard: path.join(client, 'src/index.ts') },
    nodePaths: [path.join(client, 'node_modules')],
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    charset: 'utf8',
    legalComments: 'none', // they are in licenses.txt
    tsconfig: path.join(web, 'tsconfig.json'),
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs).map((input) => path.resolve(top, input));
}

/// Returns the folders of the packages that sources are from.
function packagesOf(inputs) {
  const found = inputs.map((input) =>
    input.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/)?.[0]);
  return [...new Set(found)].filter(Boolean).sort();
}

/// Returns the file with a package's license. Nothing of others is shipped
/// without.
function licenseOf(folder) {
  const name = fs.readdirSync(folder).find((each) => /^licen[cs]e(\.|$)/i.test(each));
  if (!name) throw new Error(`${folder} has no license`);
  return path.join(folder, name);
}

function licenses(packages) {
  if (packages.length === 0) return 'The script of this page holds no code of others.\n';
  const parts = packages.map((folder) => {
    const about = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const text = fs.readFileSync(licenseOf(folder), 'utf8').trim();
    return `${about.name} ${about.version} (${about.license})\n\n${text}\n`;
  });
  return ['The script of this page holds code of others:\n', ...parts].join('\n');
}

const [target, option, depfile] = process.argv.slice(2);
if (!target || (option !== undefined && (option !== '--depfile' || !depfile))) {
  console.error('usage: build.mjs FOLDER [--depfile FILE]');
  process.exit(2);
}
const folder = path.resolve(target);
fs.mkdirSync(folder, { recursive: true });
const inputs = await bundle(loadEsbuild(), folder);
const copied = ['index.html', 'icon.svg'].map((name) => path.join(web, name));
for (const file of copied) fs.copyFileSync(file, path.join(folder, path.basename(file)));
const packages = packagesOf(inputs);
fs.writeFileSync(path.join(folder, 'licenses.txt'), licenses(packages));
if (depfile) {
  const all = [...inputs, ...copied, ...packages.map(licenseOf), path.join(web, 'tsconfig.json')];
  const quoted = all.map((file) => file.replaceAll(' ', '\\ '));
  fs.writeFileSync(depfile,
    `${path.join(folder, 'index.html').replaceAll(' ', '\\ ')}: ${quoted.join(' \\\n  ')}\n`);
}
