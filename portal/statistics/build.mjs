// SPDX-License-Identifier: EUPL-1.2

import { build } from 'esbuild';
import { print } from '../press.mjs';

await print({
  build,
  name: 'statistics',
  source: 'src/statistics.js',
  dist: 'dist',
  target: 'es2023',
  // Plot writes a style sheet into each picture, which the content policy of the page refuses; ours has what stands in it.
  amendments: [
    [/\/@observablehq\/plot\/src\/(plot|legends\/(ramp|swatches))\.js$/, 'js', [/\.(?:append|insert)\("style"(?:, "\*")?\)\.text\(\s*`[^`]*`\s*\)/, '']],
  ],
});
