// SPDX-License-Identifier: EUPL-1.2

import { build } from 'esbuild';
import { print } from '../press.mjs';

await print({
  build,
  name: 'explorer',
  source: 'src/explorer.jsx',
  dist: '../dist',
  target: 'es2022',
  // GraphiQL and CodeMirror bring style attributes and fonts inside of style sheets, which the content policy of the page refuses, and
  // buttons inside of tabs, which screen readers cannot reach.
  amendments: [
    [/\/graphiql\/dist\/style\.css$/, 'css', [/@font-face\s*\{[^}]*\}/g, '']],
    [/\/codemirror\/addon\/search\/search\.js$/, 'js', [/"?style"?: "[^"]*",? ?/g, '']],
    [/\/codemirror\/addon\/search\/jump-to-line\.js$/, 'js', [/ style="[^"]*"/g, '']],
    [/\/@graphiql\/react\/dist\/ui\/tabs\.js$/, 'js', ['role: "tablist", ', ''], ['"aria-selected": isActive, role: "tab"', '"aria-current": isActive']],
  ],
  more: {
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.graphql': 'text' },
    alias: { 'react-style-singleton': './src/sheet.js' },
  },
});
