// Light or dark: as the system has it, until somebody chooses.

import { byId } from './dom.js';
import { keep, kept } from './mine.js';

type Theme = 'light' | 'dark';

const system = (): Theme =>
  window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';

function chosen(): Theme | null {
  const theme = kept('localStorage', 'theme');
  return theme === 'light' || theme === 'dark' ? theme : null;
}

function show(): void {
  const theme = chosen();
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const other = (theme ?? system()) === 'dark' ? 'light' : 'dark';
  const button = byId('theme');
  button.setAttribute('aria-label', `Use ${other} colours`);
  button.title = `Use ${other} colours`;
}

/** Makes the button change it. Who chooses what the system has, follows it again. */
export function startTheme(): void {
  byId('theme').addEventListener('click', () => {
    const next = (chosen() ?? system()) === 'dark' ? 'light' : 'dark';
    keep('localStorage', 'theme', next === system() ? '' : next);
    show();
  });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
  show();
}
