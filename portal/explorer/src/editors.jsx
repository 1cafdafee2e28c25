// SPDX-License-Identifier: EUPL-1.2

// What GraphiQL's editors lack for people who do not use a mouse: names, and a Tab key that leads on instead of being typed.
import { useEditorContext } from '@graphiql/react';
import { useEffect } from 'react';

export function Editors() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useEditorContext({ nonNull: true });
  useNamed(queryEditor, 'Operation');
  useNamed(variableEditor, 'Variables');
  useNamed(headerEditor, 'Headers');
  useNamed(responseEditor, 'Response');
  return null;
}

function useNamed(editor, name) {
  useEffect(() => {
    if (!editor) return;
    editor.setOption('screenReaderLabel', name);
    editor.setOption('lineWrapping', true); // a narrow page does not scroll sideways
    editor.addKeyMap({ Tab: false, 'Shift-Tab': false });
    editor.getScrollerElement().tabIndex = 0; // can be scrolled by keys
  }, [editor, name]);
}
