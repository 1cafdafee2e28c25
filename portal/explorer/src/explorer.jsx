// SPDX-License-Identifier: EUPL-1.2

// The page: the bar above, GraphiQL below. Whoever has not signed in has no contract to look at, since the house answers nobody.
import { DOC_EXPLORER_PLUGIN, DocExplorerContextProvider } from '@graphiql/plugin-doc-explorer';
import { GraphiQLProvider } from '@graphiql/react';
import { GraphiQLInterface } from 'graphiql';
import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Bar } from './bar.jsx';
import { ask } from './door.js';
import { Editors } from './editors.jsx';
import { examples } from './examples.js';
import 'graphiql/style.css';
import './explorer.css';

const plugins = [DOC_EXPLORER_PLUGIN];
const [first] = examples;

function Explorer() {
  const [token, setToken] = useState('');
  // A new fetcher makes GraphiQL read the contract anew: what is visible depends on who is asking.
  const fetcher = useMemo(() => (operation, options) => ask(token, operation, options?.headers), [token]);
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      schema={token ? undefined : null}
      storage={sessionStorage}
      defaultQuery=""
      defaultTabs={[{ query: first.query, variables: first.variables }]}
      plugins={plugins}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      inputValueDeprecation
      schemaDescription
    >
      <Bar token={token} onToken={setToken} />
      <Editors />
      <main lang="en">
        <DocExplorerContextProvider>
          <GraphiQLInterface defaultEditorToolsVisibility="variables" showPersistHeadersSettings={false} />
        </DocExplorerContextProvider>
      </main>
    </GraphiQLProvider>
  );
}

createRoot(document.getElementById('explorer')).render(<Explorer />);
